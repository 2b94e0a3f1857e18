"""The OpenAPI 3.1 document of a server: exactly what this model takes and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chainrule._version import __version__
from chainrule.model import Model
from chainrule.serving.described import cell_schema, example_row, row_schema
from chainrule.serving.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from chainrule.serving.answers import Answers

_REFUSALS = {
    "400": "The body is no JSON.",
    "408": "The body did not arrive in time.",
    "413": "The body is too large, or holds too many rows.",
    "415": "The body is of another type.",
    "422": "Rows that the model cannot read: each with its row and column, what was expected and what came.",
    "503": "Too much to do: come again after the seconds of Retry-After.",
}


def document(answers: Answers, title: str) -> dict[str, Any]:
    """The document.

    Args:
        answers: what the server answers with.
        title: the name of the model.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": __version__,
            "description": "Predictions of a neural network, served by chainrule.",
        },
        "paths": {
            "/predict": {"post": _predict(answers)},
            "/schema": {"get": _get("schema", "What the model expects and answers.", "Schema")},
            "/health": {"get": _get("health", "Whether the server works.", "Health")},
        },
        "components": {"schemas": _schemas(answers), "responses": {"Problem": _problem()}},
    }


def _predict(answers: Answers) -> dict[str, Any]:
    """The operation that all is for."""
    row = example_row(answers)
    content: dict[str, Any] = {
        "application/json": {
            "schema": {"anyOf": [_reference(name) for name in _forms(answers)]},
            "examples": {"one row": {"value": [row]}},
        }
    }
    answered: dict[str, Any] = {"application/json": {"schema": _reference("Predictions")}}
    if isinstance(row, dict):
        content["text/csv"] = {
            "schema": {"type": "string", "description": "A table with a header, as `chainrule predict` reads it."},
            "example": f"{','.join(row)}\n{','.join(map(str, row.values()))}\n",
        }
        answered["text/csv"] = {"schema": {"type": "string", "description": "As `chainrule predict` writes it."}}
    return {
        "operationId": "predict",
        "summary": "Answers for rows, in their order.",
        "description": f"At most {answers.limits.max_rows:,} rows and {answers.limits.max_body:,} bytes. "
        "The answer is of the type of the body, unless Accept names the other.",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {"description": "An answer for each row.", "content": answered},
            **{status: {**_problem(), "description": words} for status, words in _REFUSALS.items()},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    }


def _get(name: str, summary: str, schema: str) -> dict[str, Any]:
    """An operation that only tells."""
    told = {"description": summary, "content": {"application/json": {"schema": _reference(schema)}}}
    responses = {"200": told, "default": {"$ref": "#/components/responses/Problem"}}
    return {"operationId": name, "summary": summary, "responses": responses}


def _forms(answers: Answers) -> list[str]:
    """The forms that rows may have."""
    return ["Rows", "Row", "Columns"] if isinstance(answers.model, Model) else ["Rows"]


def _schemas(answers: Answers) -> dict[str, Any]:
    """What the document refers to."""
    most = answers.limits.max_rows
    schemas: dict[str, Any] = {
        "Row": row_schema(answers),
        "Rows": {"type": "array", "items": _reference("Row"), "minItems": 1, "maxItems": most},
        "Predictions": {
            "type": "object",
            "required": ["predictions"],
            "properties": {"predictions": {"type": "array", "minItems": 1, "items": _reference("Prediction")}},
        },
        "Prediction": _prediction(answers),
        "Problem": _PROBLEM,
        "Health": {
            "type": "object",
            "required": ["status", "model"],
            "properties": {"status": {"const": "ok"}, "model": {"type": "string"}},
        },
        "Schema": {"type": "object", "required": ["model", "task", "target", "parameters"]},
    }
    if isinstance(answers.model, Model):
        features = answers.model.columns.features
        cells = {feature.name: cell_schema(feature, answers) for feature in features}
        schemas["Columns"] = {
            "type": "object",
            "description": "The columns of a table, each a list of as many values as there are rows.",
            "required": list(cells),
            "properties": {
                name: {"type": "array", "items": cell, "minItems": 1, "maxItems": most} for name, cell in cells.items()
            },
        }
    return schemas


def _prediction(answers: Answers) -> dict[str, Any]:
    """The JSON Schema of an answer."""
    O, classes = answers.network.objective.output_shape[0], answers.classes
    if not classes:
        value: dict[str, Any] = {"type": "number"}
        several = {"type": "array", "items": value, "minItems": O, "maxItems": O}
        properties = {"prediction": value if O == 1 else several}
        if answers.network.loss.for_classes:
            properties["probabilities"] = several
        return {"type": "object", "required": list(properties), "properties": properties}
    share = {"type": "number", "minimum": 0, "maximum": 1}
    return {
        "type": "object",
        "required": ["prediction", "probabilities"],
        "properties": {
            "prediction": {"enum": list(classes)},
            "probabilities": {
                "type": "object",
                "required": [str(label) for label in classes],
                "properties": {str(label): share for label in classes},
                "additionalProperties": False,
            },
        },
    }


def _problem() -> dict[str, Any]:
    """The response to a request that is refused."""
    return {"description": "What is wrong.", "content": {MEDIA_TYPE: {"schema": _reference("Problem")}}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


_PROBLEM = {
    "type": "object",
    "description": "RFC 9457.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, as a sentence."},
        "errors": {
            "type": "array",
            "description": "What is wrong with single values, the first 20.",
            "items": {
                "type": "object",
                "required": ["expected", "got"],
                "properties": {
                    "row": {"type": "integer", "minimum": 1},
                    "column": {"type": "string"},
                    "expected": {"type": "string"},
                    "got": {"type": "string"},
                },
            },
        },
    },
}
