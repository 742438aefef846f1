"""The examples, run as a person would run them, and with faults planted in them."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(folder, example, *arguments):
    """The example in a process of its own, where a warning would be an error."""
    command = [sys.executable, "-W", "error", str(EXAMPLES / example), *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture
def article(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import article_mlp

    return article_mlp


@pytest.fixture
def by_hand(monkeypatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import by_hand

    return by_hand


# -- the article's network -----------------------------------------------------------------------------------


def test_article_trains_both_and_finds_that_they_agree(tmp_path):
    finished = run(tmp_path, "article_mlp.py", "--quick", "--epochs", 45, "--no-plots")
    assert (finished.returncode, finished.stderr) == (0, "")
    said = " ".join(finished.stdout.split())
    assert "half the mean squared error" in said
    assert "They agree" in finished.stdout

    table = finished.stdout.partition("so far\n")[2].partition("\n\n")[0]
    rows = [line.split() for line in table.splitlines()]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "4", "5", "20", "40", "44"]
    generated, by_hand = ([float(row[column]) for row in rows] for column in (1, 2))
    np.testing.assert_allclose(generated, by_hand, rtol=1e-10)
    peak = generated.index(max(generated))
    assert generated[peak:] == sorted(generated[peak:], reverse=True), "the loss falls after its peak"
    assert f"The loss first rises, from 162 to {generated[peak]:,.0f} at epoch {rows[peak][0]}" in said
    assert "the network explains" in said
    assert max(map(len, finished.stdout.splitlines())) < 80
    assert all(0 < float(row[3]) < 1e-10 for row in rows)
    assert not list(tmp_path.iterdir()), "--no-plots draws nothing"


def test_article_draws_every_picture_that_it_promises(tmp_path, article):
    finished = run(tmp_path, "article_mlp.py", "--quick", "--epochs", 40, "--samples", 50, "--out", "deep/er")
    assert finished.returncode == 0, finished.stderr
    from matplotlib.image import imread

    folder = tmp_path / "deep" / "er"
    assert sorted(path.name for path in folder.iterdir()) == sorted(article.article_pictures.NAMES)
    for name in article.article_pictures.NAMES:
        content = (folder / name).read_bytes()
        assert name in finished.stdout
        assert b"<svg" in content if name.endswith(".svg") else content.startswith(b"\x89PNG\r\n"), name
        if name.endswith(".png"):
            pixels = imread(folder / name)[..., :3]
            border = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
            assert all((side == 1).all() for side in border), f"{name}: a label is cut off"


def test_article_improves_its_fit_by_annealing_and_says_so(tmp_path):
    finished = run(tmp_path, "article_mlp.py", "--epochs", 120, "--samples", 200, "--no-plots", "--improve")
    assert (finished.returncode, finished.stderr) == (0, "")
    table = finished.stdout.partition("Doing better, 120 epochs each:\n")[2]
    rows = [line.rsplit(None, 3) for line in table.splitlines()[1:]]
    assert [row[0].strip() for row in rows] == [
        "as above",
        "annealed",
        "dropout 0.02",
        "annealed and dropout 0.02",
    ]
    as_above, annealed = (float(row[1]) for row in rows[:2])
    assert annealed < as_above / 2
    assert f"explains {rows[0][2]} of" in " ".join(finished.stdout.split()), "the same training as before"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--epochs", "0"], "argument --epochs: must be 1 or more, got 0"),
        (["--epochs", "ten"], "argument --epochs: invalid whole number value: 'ten'"),
        (["--samples", "-5"], "argument --samples: must be 1 or more, got -5"),
        (["--samples", "1"], "argument --samples: must be 2 or more, for one point cannot be standardised"),
        (["--lr", "nan"], "argument --lr: must be a positive number, got nan"),
        (["--lr", "-1"], "argument --lr: must be a positive number, got -1"),
        (["--lr", "fast"], "argument --lr: invalid number value: 'fast'"),
        (["--seed", "-1"], "argument --seed: must lie between 0 and 4294967295"),
        (["--out", "file"], "argument --out: file cannot be made a folder"),
        (["--fast"], "unrecognized arguments: --fast"),
    ],
)
def test_article_answers_a_bad_argument_with_a_sentence(
    article, monkeypatch, tmp_path, capsys, arguments, sentence
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["article_mlp.py", *arguments])
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as stopped:
        article.main()
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert f"article_mlp.py: error: {sentence}" in printed.err
    assert printed.out == ""


@pytest.mark.parametrize("package", ["tqdm", "matplotlib"])
def test_article_names_the_extra_that_brings_a_missing_package(
    article, monkeypatch, tmp_path, capsys, package
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SystemExit) as stopped:
        article.main(["--epochs", "1"])
    assert stopped.value.code == 2
    assert f"{package} is missing; the extra `examples` brings it" in capsys.readouterr().err


def test_article_says_that_training_diverged(tmp_path):
    finished = run(tmp_path, "article_mlp.py", "--lr", 1, "--no-plots")
    assert finished.returncode == 1
    assert finished.stderr.startswith("error: training diverged at epoch ")
    assert finished.stderr.endswith("try a smaller --lr\n")
    assert "agree" not in finished.stdout


def test_article_prints_its_backward_pass_and_that_is_the_one_by_hand(tmp_path, article):
    finished = run(tmp_path, "article_mlp.py", "--source", "--samples", 50)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.count("\n") <= 60
    namespace = {}
    exec(finished.stdout, namespace)
    hand = article.handwritten
    problem, layers = article.draw_samples(50, 3), hand.initial_layers(3)
    passed = hand.forward(layers, problem.x)
    loss, gradients = namespace["forward_and_backward"](
        problem.x, problem.target, *article.as_parameters(layers)
    )
    np.testing.assert_allclose(
        loss, hand.mean_squared_error(passed.prediction, problem.target) / 2, rtol=1e-12
    )
    by_hand = article.as_parameters(hand.backward(layers, passed, problem.target))
    for found, expected in zip(gradients.values(), by_hand, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_article_is_repeated_by_its_seed(article, capsys):
    printed = []
    for seed in ("7", "7", "8"):
        assert article.main(["--no-plots", "--epochs", "2", "--samples", "20", "--seed", seed]) == 0
        printed.append(capsys.readouterr().out.split("so far")[1])
    assert printed[0] == printed[1] != printed[2]


@pytest.mark.parametrize("factor", [1 + 1e-7, 2.001 / 2, -1])
@pytest.mark.parametrize("layer", [0, 3])
def test_article_fails_where_a_backward_pass_is_wrong(article, monkeypatch, capsys, layer, factor):
    right = article.handwritten.backward

    def wrong(*arguments):
        gradients = right(*arguments)
        gradients[layer].b[...] *= factor
        return gradients

    monkeypatch.setattr(article.handwritten, "backward", wrong)
    assert article.main(["--no-plots", "--epochs", "2", "--samples", "20"]) == 1
    printed = capsys.readouterr()
    assert "They agree" not in printed.out
    assert printed.err.startswith("error: the gradients do not agree: ")
    assert f"layer {layer + 1}'s bias" in printed.err
    assert printed.err.endswith("one of the two backward passes is wrong\n")


def test_article_tells_a_wrong_update_from_a_wrong_gradient(article, monkeypatch, capsys):
    right = article.handwritten.step
    monkeypatch.setattr(article.handwritten, "step", lambda layers, g, lr: right(layers, g, 1.001 * lr))
    assert article.main(["--no-plots", "--epochs", "5", "--samples", "20"]) == 1
    printed = capsys.readouterr()
    assert "They agree" not in printed.out
    assert "it is the weights that have parted" in printed.err


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_no_number_agrees_with_nothing(article, bad):
    good = [np.ones((3, 2)), np.ones(3)]
    in_layer, in_itself = article.compare([good[0], np.array([1, bad, 1])], good, epoch=0)
    assert in_layer.relative == in_itself.relative == np.inf
    assert in_layer.gradient == "layer 1's bias"


@pytest.mark.parametrize(
    ("epochs", "every"), [(1, 20), (500, 20), (501, 40), (2000, 100), (4000, 200), (40_000, 2000)]
)
def test_the_table_fits_on_a_page(article, epochs, every):
    assert article.rows_every(epochs) == every


# -- the pass written by hand, which everything is compared with, is itself right ----------------------------


def test_handwritten_starts_from_the_legacy_generator_layer_by_layer(article):
    layers = article.handwritten.initial_layers(99)
    assert [W.shape for W, _ in layers] == [(2, 64), (64, 64), (64, 64), (64, 1)]
    drawn = np.random.RandomState(99).uniform(-1, 1, sum(W.size for W, _ in layers))
    np.testing.assert_array_equal(np.concatenate([W.ravel() for W, _ in layers]), drawn)
    for W, b in layers:
        assert b.shape == (1, W.shape[1])
        assert not b.any()


def test_handwritten_backward_is_the_gradient_of_half_the_mean_squared_error(article):
    hand = article.handwritten
    random = np.random.default_rng(0)
    layers = hand.initial_layers(0, (2, 5, 4, 1))
    x, target = random.normal(size=(7, 2)), random.normal(size=(7, 1))

    def half_mse():
        return hand.mean_squared_error(hand.forward(layers, x).prediction, target) / 2

    gradients = hand.backward(layers, hand.forward(layers, x), target)
    for layer, gradient in zip(layers, gradients, strict=True):
        for array, g in zip(layer, gradient, strict=True):
            direction = random.normal(size=array.shape)
            start, h = array.copy(), 1e-6
            array[...] = start + h * direction
            above = half_mse()
            array[...] = start - h * direction
            slope = (above - half_mse()) / (2 * h)
            array[...] = start
            np.testing.assert_allclose((g * direction).sum(), slope, rtol=1e-6)


# -- the step by hand ----------------------------------------------------------------------------------------


def test_by_hand_prints_every_change_with_its_sum(tmp_path):
    finished = run(tmp_path, "by_hand.py")
    assert (finished.returncode, finished.stderr) == (0, "")
    words = " ".join(finished.stdout.split())
    for line in (
        "relu(-0.46) = 0",
        "output: 1.2 - 0.9 = 0.3 0.3 0.3",
        "b4: the output's = 0.3 0.3 0.3",
        "w8: 0.3 x 1.24 = 0.372 0.372 0.372",
        "w9: 0.3 x 0 = 0 0 0",
        "h1: 0.3 x 0.2 = 0.06 0.06 0.06",
        "w1: 0.06 x 0.8 = 0.048 0.048 0.048",
        "w8: 0.5 + 0.001 x 0.372 0.500372 0.500372",
        "they agree: all 30 numbers, to within 1e-12.",
    ):
        assert line in words
    assert "None" not in words


def test_by_hand_draws_its_graph(tmp_path, by_hand, capsys):
    picture = tmp_path / "steps.dot"
    assert by_hand.main(["--draw", str(picture)]) == 0
    assert f"The graph is in {picture}." in capsys.readouterr().out
    drawn = picture.read_text()
    assert all(name in drawn for name in (*by_hand.START, "h1", "output", "wanted", "loss"))


def test_by_hand_answers_a_bad_argument_with_a_sentence(tmp_path):
    finished = run(tmp_path, "by_hand.py", "--fast")
    assert finished.returncode == 2
    assert finished.stderr.endswith("by_hand.py: error: unrecognized arguments: --fast\n")


@pytest.mark.parametrize("off", [1e-9, np.nan])
def test_by_hand_fails_where_a_change_is_wrong(by_hand, monkeypatch, capsys, off):
    right = by_hand.changes_by_hand

    def wrong(found):
        changes = right(found)
        changes["w3"] = changes["w3"]._replace(value=changes["w3"].value + off)
        return changes

    monkeypatch.setattr(by_hand, "changes_by_hand", wrong)
    assert by_hand.main([]) == 1
    printed = capsys.readouterr()
    assert "agree" not in printed.out
    assert printed.err.startswith("\nerror: ")


def test_the_backward_pass_by_hand_is_checked() -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / "check_by_hand.py")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "is right: 82 gradients in 8 arrays" in done.stdout
