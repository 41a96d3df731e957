"""scikit-learn's training step: `partial_fit` of a multi-layer perceptron over an epoch."""

from peer import dataset, serve, start, unsupported

variant, work = start(["partial_fit"])

import sklearn  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402

ACTIVATIONS = {"identity": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}
MODELS = {
    "softmax-cross-entropy": MLPClassifier,
    "binary-cross-entropy": MLPClassifier,
    "mean-squared": MLPRegressor,
}
if work.output != "identity" or work.loss not in MODELS or work.activation not in ACTIVATIONS:
    unsupported(f"{work.output} output with {work.activation} and {work.loss}")

x, y = dataset(work)
if not work.classes and work.layers[-1] == 1:
    y = y.ravel()
model = MODELS[work.loss](
    hidden_layer_sizes=work.layers[1:-1],
    activation=ACTIVATIONS[work.activation],
    solver="adam" if work.optimizer == "adam" else "sgd",
    momentum=work.momentum,
    nesterovs_momentum=False,
    learning_rate_init=work.learning_rate,
    batch_size=work.batch,
    alpha=0,
    random_state=0,
)
if isinstance(model, MLPClassifier):
    names = range(work.layers[-1]) if work.classes else (0, 1)
    model.partial_fit(x, y.astype(int), classes=list(names))


def advance():
    model.partial_fit(x, y)
    return len(x)


serve(work, f"sklearn {variant}", sklearn.__version__, advance)
