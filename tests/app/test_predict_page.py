"""The page that predicts: it reads as the command line does and tells its models apart."""

from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from causalmix_core.cli import main
from causalmix_core.experiment import _schema as schema
from causalmix_core.experiment import jobs
from causalmix_core.experiment.runs import model_file
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.workspace import Workspace
from causalmix_core.finetune import TunedModel
from causalmix_core.progress import Progress
from causalmix_core.table import Table, read_table
from tests.finetune.tiny import tiny_model

from .conftest import Open, assert_sound


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two measures with decimals, one of them in the thousands."""
    folder = tmp_path_factory.mktemp("model")
    prices = [1000 + 7.25 * i for i in range(60)]
    frame = pd.DataFrame(
        {
            "price": prices,
            "size": [i % 13 + 0.5 for i in range(60)],
            "sold": [("no", "yes")[i % 13 > 6] for i in range(60)],
        }
    )
    return saved_model(frame, "sold", folder)


def saved_model(frame: pd.DataFrame, target: str, folder: Path) -> Path:
    """A model that predicts a column of these rows."""
    model = TunedModel(read_table(frame, target), None, tiny_model(folder), estimators=1, seed=0)
    return model.save(folder / "model.safetensors")


def upload(app: AppTest, label: str, name: str, content: bytes) -> AppTest:
    """Give a file to the field whose label begins so."""
    [field] = [each for each in app.file_uploader if each.label.startswith(label)]
    field.upload(name, content)
    return app.run()


@pytest.mark.parametrize(
    "rows",
    [
        "price;size\n1,500;6,5\n2,250;1,0\n1,125;9,5\n",
        "size,note,price\n6.5,a,1200\n1,b,1300\n",
        "price,size\n1100,6.5\n",
    ],
    ids=["decimal comma", "other order", "one row"],
)
def test_the_page_reads_new_rows_as_the_command_line_does(
    rows: str, open_page: Open, store: Store, model_path: Path, tmp_path: Path
) -> None:
    file, out = tmp_path / "new.csv", tmp_path / "out.csv"
    file.write_text(rows)
    assert main(["predict", str(model_path), str(file), "--out", str(out), "--quiet"]) == 0
    expected = pd.read_csv(out)

    app = upload(open_page("predict"), "Or a model file", model_path.name, model_path.read_bytes())
    app = upload(app, "New rows", file.name, file.read_bytes())
    assert_sound(app)
    shown = app.dataframe[1].value
    pd.testing.assert_frame_equal(shown[expected.columns], expected, check_dtype=False)
    decimal = "," if ";" in rows else "."
    written = pd.read_csv(file, sep=None, engine="python", decimal=decimal)
    for column in ("price", "size"):
        assert shown[column].tolist() == written[column].tolist()


def test_a_given_column_may_be_called_like_a_prediction(
    open_page: Open, store: Store, tmp_path: Path
) -> None:
    given = pd.DataFrame(
        {
            "prediction": [k % 7 + 0.5 for k in range(40)],
            "prediction (given)": [k % 5 + 0.5 for k in range(40)],
            "probability_yes": [k % 3 + 0.5 for k in range(40)],
        }
    )
    path = saved_model(given.assign(sold=["no", "yes"] * 20), "sold", tmp_path)
    expected = TunedModel.load(path).predict(given)
    app = upload(open_page("predict"), "Or a model file", path.name, path.read_bytes())
    app = upload(app, "New rows", "new.csv", given.to_csv(index=False).encode())
    assert_sound(app)
    shown = app.dataframe[1].value
    assert shown["prediction"].tolist() == expected["prediction"].tolist()
    assert shown["probability_yes"].to_numpy() == pytest.approx(expected["probability_yes"])
    renamed = {
        "prediction": "prediction (given) (given)",
        "probability_yes": "probability_yes (given)",
    }
    for name in given:
        assert shown[renamed.get(name, name)].tolist() == given[name].tolist()
    assert len(app.get("download_button")) == 1


def test_a_file_is_predicted_once_and_again_after_a_cancellation(
    open_page: Open, store: Store, model_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[int] = []
    predict = TunedModel.predict

    def counted(self: TunedModel, rows: Table, *rest: Progress) -> pd.DataFrame:
        times.append(len(rows))
        return predict(self, rows, *rest)

    monkeypatch.setattr(TunedModel, "predict", counted)
    app = upload(open_page("predict"), "Or a model file", model_path.name, model_path.read_bytes())
    app = upload(app, "New rows", "new.csv", b"price,size\n1100,6.5\n1200,7.5\n")
    before = app.dataframe[1].value
    app.checkbox[0].check().run()
    assert_sound(app)
    assert times == [2]
    key, *_ = app.session_state["predicted"]
    app.session_state["prediction-cancelled"] = key
    del app.session_state["predicted"]
    app.run()
    assert "cancelled" in app.info[0].value
    assert not app.dataframe
    [again] = [each for each in app.button if each.label == "Predict after all"]
    again.click().run()
    assert times == [2, 2]
    pd.testing.assert_frame_equal(app.dataframe[1].value, before)
    upload(app, "New rows", "other.csv", b"price,size\n1100,6.5\n")
    assert times == [2, 2, 1]


def test_more_rows_than_the_page_predicts_are_left_to_the_command_line(
    open_page: Open, store: Store, model_path: Path
) -> None:
    app = upload(open_page("predict"), "Or a model file", model_path.name, model_path.read_bytes())
    assert any("20,000 rows" in each.value for each in app.caption)
    content = b"price,size\n" + b"1100.5,6.5\n" * 20_001
    app = upload(app, "New rows", "many rows.csv", content)
    assert ["20,001 rows" in each.value for each in app.error] == [True]
    assert "'many rows.csv'" in app.code[0].value
    assert not app.dataframe


def test_a_table_that_is_shown_in_part_says_so(
    open_page: Open, store: Store, model_path: Path
) -> None:
    app = upload(open_page("predict"), "Or a model file", model_path.name, model_path.read_bytes())
    for rows, told in ((500, False), (501, True)):
        content = b"price,size\n" + b"1100.5,6.5\n" * rows
        upload(app, "New rows", f"{rows}.csv", content)
        assert_sound(app)
        assert len(app.dataframe[1].value) == 500
        assert told is ("The first 500 of 501 rows." in [each.value for each in app.caption])


def tuned(space: Workspace, model: Path, created: float, auc: float | None) -> jobs.Job:
    """A run that is done and left a model, as if it had been begun at that moment."""
    request = {"method": "mixup", "seed": 0, "train_rows": 60, "target": space.choices().target}
    run = jobs.start_job(space.store, space.project, "finetune", request, launch=False)
    result = {"metrics": {"roc_auc_val": auc, "roc_auc_test": auc}}
    with space.store.writing() as connection:
        done = {"state": jobs.State.DONE, "result": result, "created": created}
        connection.execute(update(schema.jobs).where(schema.jobs.c.id == run).values(done))
    kept = model_file(space.store, jobs.job(space.store, run))
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(model.read_bytes())
    return jobs.job(space.store, run)


def test_models_of_equal_runs_are_told_apart_and_may_lack_a_score(
    open_page: Open, space: Workspace, model_path: Path
) -> None:
    tuned(space, model_path, 1_700_000_000.0, None)
    tuned(space, model_path, 1_700_000_005.0, 0.75)
    app = open_page("predict", space.project)
    [box] = app.selectbox
    assert len(set(box.options)) == 2
    assert sorted(option[-5:] for option in box.options) == ["0.750", "AUC –"]
    for option in box.options:
        app.selectbox[0].select(option).run()
        assert_sound(app)
        assert app.selectbox[0].value.created.second == int(option.split(":")[2])
        [told] = [each.value for each in app.caption if each.value.startswith("The model is")]
        assert option.split(", begun ")[1] in told.replace("\\", "")
