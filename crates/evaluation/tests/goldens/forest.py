"""Three classes that no line parts, and what scikit-learn's forest makes of them: writes forest.json.

Made with Python 3.11, numpy 2.4.6, scikit-learn 1.9.1.
"""
import json
from pathlib import Path

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, roc_auc_score

rng = np.random.default_rng(7)
n = 300


def draw(count):
    x = rng.normal(size=(count, 10)).round(2)
    score = x[:, 0] * x[:, 1] + 0.5 * x[:, 2] ** 2 + 0.7 * np.sin(2 * x[:, 3]) + 0.4 * rng.normal(size=count)
    return x, np.digitize(score, [-0.2, 0.8])


(train, train_labels), (test, test_labels) = draw(n), draw(n)
accuracies, areas = [], []
for seed in range(20):
    forest = RandomForestClassifier(150, min_samples_leaf=2, class_weight="balanced", random_state=seed).fit(train, train_labels)
    accuracies.append(accuracy_score(test_labels, forest.predict(test)))
    areas.append(roc_auc_score(test_labels == 2, forest.predict_proba(test)[:, 2]))
golden = {
    "train": train.tolist(), "train_labels": train_labels.tolist(), "test": test.tolist(), "test_labels": test_labels.tolist(),
    "accuracy": [float(np.mean(accuracies)), float(np.std(accuracies))], "area": [float(np.mean(areas)), float(np.std(areas))],
}
(Path(__file__).parent / "forest.json").write_text(json.dumps(golden))
print(golden["accuracy"], golden["area"])
