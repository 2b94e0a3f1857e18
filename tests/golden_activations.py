"""Makes the golden numbers of `test_activations.py`: values and slopes in 40 digits, by mpmath (pip install mpmath).

The slopes are mpmath's numerical derivatives of the values, so that no slope is written down twice.
Run it and paste what it prints: python tests/golden_activations.py
"""

import mpmath as mp

mp.mp.dps = 60
PLACES = ("-30", "-2", "-0.5", "0.25", "3", "40")
SCALE, ALPHA = mp.mpf("1.0507009873554804934193349852946"), mp.mpf("1.6732632423543772848170429916717")

FUNCTIONS = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + mp.exp(-z)),
    "tanh": mp.tanh,
    "scaled_tanh": lambda z: mp.mpf("1.7159") * mp.tanh(2 * z / 3),
    "relu": lambda z: max(z, mp.mpf(0)),
    "leaky_relu": lambda z: z if z > 0 else z / 100,
    "elu": lambda z: z if z > 0 else mp.expm1(z),
    "selu": lambda z: SCALE * (z if z > 0 else ALPHA * mp.expm1(z)),
    "gelu": lambda z: z / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (z + mp.mpf("0.044715") * z**3))),
    "silu": lambda z: z / (1 + mp.exp(-z)),
    "softplus": lambda z: mp.log1p(mp.exp(z)),
    "exp": mp.exp,
}

if __name__ == "__main__":
    for name, f in FUNCTIONS.items():
        values = ", ".join(mp.nstr(f(mp.mpf(z)), 17) for z in PLACES)
        slopes = ", ".join(mp.nstr(mp.diff(f, mp.mpf(z)), 17) for z in PLACES)
        print(f'    "{name}": (\n        ({values}),\n        ({slopes}),\n    ),')  # noqa: T201 -- a script
