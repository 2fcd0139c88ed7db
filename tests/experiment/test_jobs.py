"""Jobs: states, order, keys, cancelling, and what happens when a process is killed."""

import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from causalmix_core.errors import Cancelled, GeneratorError, StoreError
from causalmix_core.experiment import jobs, repeat, tasks
from causalmix_core.experiment.jobs import Lease, State, claim, start_job
from causalmix_core.experiment.plan import Plan, Source
from causalmix_core.experiment.results import results
from causalmix_core.experiment.runs import launch, model_file, repeat_command
from causalmix_core.experiment.store import Store
from causalmix_core.experiment.worker import serve
from causalmix_core.finetune import Settings, Stopping, TunedModel
from causalmix_core.foundation import checkpoint
from tests.finetune.tiny import small_table

SETTINGS = Settings(steps=6, evaluate_every=2, curve_rows=20, stopping=Stopping(patience=0))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def project(store: Store) -> str:
    return store.create("p").id


@pytest.fixture
def kinds(monkeypatch: pytest.MonkeyPatch):
    """Register small kinds of jobs for the length of a test."""

    def echo(store, job, lease):
        lease.progress(0.5, "Half way")
        return {"said": job.request["say"]}

    def refuse(store, job, lease):
        raise GeneratorError("SMOTE needs two rows of a class.")

    def crash(store, job, lease):
        raise ZeroDivisionError("oops")

    for name, task in (("echo", echo), ("refuse", refuse), ("crash", crash)):
        monkeypatch.setitem(tasks.TASKS, name, task)
    monkeypatch.setattr(jobs, "QUEUED_KINDS", frozenset({"echo", "refuse", "crash", "finetune"}))


def _queue(store: Store, project: str, kind: str = "echo", **options) -> str:
    return start_job(store, project, kind, {"say": "hello"}, launch=False, **options)


def test_a_job_goes_from_queued_to_done_with_its_result(store, project, kinds):
    job_id = _queue(store, project)
    before = jobs.job(store, job_id)
    assert (before.state, before.result, before.started) == (State.QUEUED, None, None)
    serve(store)
    after = jobs.job(store, job_id)
    assert (after.state, after.result, after.fraction) == (State.DONE, {"said": "hello"}, 1.0)
    assert after.created <= after.started <= after.finished


def test_a_failure_is_told_in_its_own_words_and_the_next_job_goes_on(
    store, project, kinds, capfd: pytest.CaptureFixture[str]
):
    ids = [_queue(store, project, kind) for kind in ("refuse", "crash", "echo")]
    serve(store)
    refused, crashed, done = (jobs.job(store, job_id) for job_id in ids)
    assert (refused.state, refused.error) == (State.FAILED, "SMOTE needs two rows of a class.")
    assert (crashed.state, crashed.error) == (State.FAILED, "Unexpected ZeroDivisionError: oops")
    assert done.state is State.DONE
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_jobs_are_taken_in_order_and_after_those_they_need(store, project, kinds):
    first = _queue(store, project)
    second = _queue(store, project, after=[first])
    third = _queue(store, project)
    taken = claim(store, "a")
    assert taken.id == first
    assert claim(store, "b").id == third
    assert claim(store, "c") is None
    with Lease(store, first, "a") as lease:
        lease.finish(State.DONE)
    assert claim(store, "c").id == second


def test_what_needs_a_failed_job_fails_too(store, project, kinds):
    first = _queue(store, project, "refuse")
    second = _queue(store, project, after=[first])
    serve(store)
    assert jobs.job(store, second).state is State.FAILED
    assert jobs.job(store, second).error == "SMOTE needs two rows of a class."


@pytest.mark.parametrize("ended", [State.CANCELLED, State.INTERRUPTED])
def test_what_waits_for_a_stopped_job_is_stopped_like_it_and_both_go_on_together(
    store, project, kinds, ended: State
):
    first = _queue(store, project, key="first")
    second = _queue(store, project, key="second", after=[first])
    for again in (
        lambda: jobs.resume(store, second, launch=False),
        # Launched anew, under other methods: then nothing else queues what it waits for.
        lambda: _queue(store, project, key="second", after=["another"]),
    ):
        with store.writing() as connection:
            connection.exec_driver_sql(
                "UPDATE jobs SET state = ? WHERE id = ?", (str(ended), first)
            )
        serve(store)
        assert [jobs.job(store, each).state for each in (first, second)] == [ended, ended]
        again()
        serve(store)
        assert [jobs.job(store, each).state for each in (first, second)] == [State.DONE] * 2
        with store.writing() as connection:
            connection.exec_driver_sql("UPDATE jobs SET state = 'queued' WHERE id = ?", (second,))


def test_a_job_that_is_done_needs_nothing_before_it_again(store, project, kinds):
    first = _queue(store, project)
    second = _queue(store, project, key="second", after=[first])
    serve(store)
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE jobs SET state = 'interrupted' WHERE id = ?", (first,))
    assert _queue(store, project, key="second") == second
    assert jobs.job(store, first).state is State.INTERRUPTED


def test_the_same_key_is_not_done_twice_unless_it_failed(store, project, kinds):
    first = _queue(store, project, key="k")
    assert _queue(store, project, key="k") == first
    serve(store)
    finished = jobs.job(store, first).finished
    assert _queue(store, project, key="k") == first
    serve(store)
    assert jobs.job(store, first).finished == finished
    assert _queue(store, project, key="other") != first
    jobs.cancel_all(store, project)
    failed = _queue(store, project, "refuse", key="f")
    serve(store)
    assert _queue(store, project, "refuse", key="f") == failed
    assert jobs.job(store, failed).state is State.QUEUED


def test_a_queued_job_is_cancelled_at_once_and_can_be_resumed(store, project, kinds):
    job_id = _queue(store, project)
    jobs.cancel(store, job_id)
    assert jobs.job(store, job_id).state is State.CANCELLED
    serve(store)
    assert jobs.job(store, job_id).state is State.CANCELLED
    jobs.resume(store, job_id, launch=False)
    serve(store)
    assert jobs.job(store, job_id).state is State.DONE


def test_resuming_a_job_resumes_what_it_needs(store, project, kinds):
    first = _queue(store, project)
    second = _queue(store, project, after=[first])
    jobs.cancel_all(store, project)
    serve(store)
    jobs.resume(store, second, launch=False)
    serve(store)
    assert [jobs.job(store, job_id).state for job_id in (first, second)] == [State.DONE] * 2


def test_jobs_are_cancelled_together_with_what_only_they_wait_for(store, project, kinds):
    shared, own = _queue(store, project), _queue(store, project)
    mine = [_queue(store, project, after=[shared]), _queue(store, project, after=[own])]
    other = _queue(store, project, after=[shared])
    jobs.cancel_together(store, mine)
    states = {each: jobs.job(store, each).state for each in (shared, own, *mine, other)}
    assert {each for each, state in states.items() if state is State.CANCELLED} == {own, *mine}
    serve(store)
    assert jobs.job(store, other).state is State.DONE


def test_a_running_job_hears_that_it_is_cancelled(store, project, kinds):
    job_id = _queue(store, project)
    claim(store, "me")
    with Lease(store, job_id, "me") as lease:
        lease.measure([(0, "train", "loss", 1.0)])
        jobs.cancel(store, job_id)
        with pytest.raises(Cancelled):  # noqa: PT012
            for _ in range(50):
                time.sleep(0.1)
                lease.measure([(1, "train", "loss", 0.5)])
        lease.finish(State.CANCELLED)
    assert jobs.job(store, job_id).state is State.CANCELLED


def test_a_worker_that_lost_its_job_to_another_cannot_write_to_it(store, project, kinds):
    job_id = _queue(store, project)
    claim(store, "slow")
    with Lease(store, job_id, "slow") as slow:
        jobs.cancel(store, job_id)
        with store.writing() as connection:
            connection.exec_driver_sql("UPDATE jobs SET state = 'interrupted'")
        jobs.resume(store, job_id, launch=False)
        assert claim(store, "quick").id == job_id
        slow.finish(State.DONE, result="stale")
    assert (jobs.job(store, job_id).state, jobs.job(store, job_id).result) == (State.RUNNING, None)


def test_measurements_come_back_since_a_step_and_missing_values_stay_missing(store, project, kinds):
    job_id = _queue(store, project)
    claim(store, "me")
    with Lease(store, job_id, "me") as lease:
        lease.measure([(0, "test", "roc_auc", 0.5), (4, "test", "roc_auc", float("nan"))])
        lease.measure([(0, "test", "roc_auc", 0.6)])
        found = jobs.curves(store, [job_id])
        assert found["value"].tolist()[0] == 0.6
        assert found["value"].isna().tolist() == [False, True]
        assert jobs.curves(store, [job_id], since=0)["step"].tolist() == [4]
        lease.finish(State.DONE)
    assert jobs.curves(store, []).empty


def test_a_job_whose_process_is_gone_is_interrupted(store, project, kinds):
    job_id = _queue(store, project)
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    claim(store, "dead")
    with store.writing() as connection:
        connection.exec_driver_sql(f"UPDATE jobs SET pid = {gone.pid}")
    assert jobs.jobs(store, project)[0].state is State.INTERRUPTED
    jobs.resume(store, job_id, launch=False)
    serve(store)
    assert jobs.job(store, job_id).state is State.DONE


def test_an_old_heartbeat_means_interrupted_wherever_the_worker_ran(store, project, kinds):
    _queue(store, project)
    claim(store, "elsewhere")
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE jobs SET host = 'elsewhere', heartbeat = heartbeat - 10")
    assert jobs.jobs(store, project)[0].state is State.RUNNING
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE jobs SET heartbeat = heartbeat - 100")
    assert jobs.jobs(store, project)[0].state is State.INTERRUPTED


def test_a_worker_that_cannot_start_fails_its_job_instead_of_starting_for_ever(
    store, project, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    job_id = start_job(store, project, "discover", {})
    _wait_for(lambda: jobs.jobs(store, project)[0].state is State.FAILED)
    assert f"{job_id}.log" in jobs.job(store, job_id).error


def test_unknown_jobs_and_kinds_are_named(store, project):
    with pytest.raises(StoreError, match="no job 'x'"):
        jobs.job(store, "x")
    job_id = start_job(store, project, "dance", {}, launch=False)
    serve(store, job_id)
    assert "no kind of job 'dance'" in jobs.job(store, job_id).error


def test_runs_of_a_plan_share_one_preparation_leave_models_and_repeat(
    store, project, tiny: Path, capsys: pytest.CaptureFixture[str]
):
    plan = Plan(
        (Source(small_table(150)),),
        ("none", "smote", "mixup"),
        (0,),
        (60,),
        model=str(tiny),
        settings=SETTINGS,
    )
    ids = launch(store, project, plan, workers=False)
    assert [job.kind for job in jobs.jobs(store, project)].count("prepare") == 1
    serve(store)
    runs = [jobs.job(store, job_id) for job_id in ids]
    table = results(runs)
    assert table["status"].tolist() == ["done"] * 3
    assert table["method"].tolist() == ["none", "smote", "mixup"]
    assert table["train_rows"].tolist() == [40] * 3
    models = [TunedModel.load(model_file(store, run)) for run in runs]
    assert [model.about["metrics"]["method"] for model in models] == ["none", "smote", "mixup"]
    assert repeat.main([str(store.home), ids[1]]) == 0
    assert "to the last digit" in capsys.readouterr().out
    command = shlex.split(repeat_command(store, runs[1]))
    assert command[-2:] == [str(store.home.resolve()), ids[1]]
    with store.writing() as connection:
        wrong = "json_set(result, '$.metrics.steps', 99)"
        connection.exec_driver_sql(f"UPDATE jobs SET result = {wrong} WHERE id = '{ids[1]}'")
    assert repeat.main([str(store.home), ids[1]]) == 1
    assert "steps: 99 then, 6 now" in capsys.readouterr().out
    assert repeat.main([str(store.home), "nobody"]) == 2
    assert launch(store, project, plan, workers=False) == ids
    for fewer in (("mixup", "smote", "none"), ("smote",)):
        again = launch(store, project, replace(plan, methods=fewer), workers=False)
        assert again == [ids[plan.methods.index(name)] for name in fewer]
    assert all(job.state.is_over for job in jobs.jobs(store, project))
    more = launch(store, project, replace(plan, seeds=(0, 1)), workers=False)
    assert set(ids) < set(more)
    assert len(more) == 6


def run_with_broken_mixup(
    store, project, tiny: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> list[str]:
    """Do runs of Mixup and SMOTE where fitting Mixup raises an error; return their ids."""
    from causalmix_core.augment.mixup import Mixup

    def crash(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(Mixup, "_fit", crash)
    plan = Plan((Source(small_table(150)),), ("mixup", "smote"), (0,), (60,), str(tiny), SETTINGS)
    ids = launch(store, project, plan, workers=False)
    serve(store)
    return ids


def test_a_mistake_in_one_generator_fails_its_own_method_only(
    store, project, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    mixup, smote = run_with_broken_mixup(
        store, project, tiny, monkeypatch, ZeroDivisionError("oops")
    )
    assert jobs.job(store, mixup).error == "Unexpected ZeroDivisionError: oops"
    assert jobs.job(store, smote).state is State.DONE


def test_a_cancelled_preparation_cancels_the_runs_that_wait_for_it(
    store, project, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    run_with_broken_mixup(store, project, tiny, monkeypatch, Cancelled("Cancelled."))
    assert {job.state for job in jobs.jobs(store, project)} == {State.CANCELLED}


def test_a_preparation_can_be_cancelled_while_it_samples(
    store, project, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    from causalmix_core.augment.mixup import Mixup

    def slow(self, *arguments: object) -> None:
        jobs.cancel_all(store, project, "prepare")
        for i in range(100):
            time.sleep(0.1)
            self._tell(i / 100, f"Row {i}")

    monkeypatch.setattr(Mixup, "_sample", slow)
    plan = Plan((Source(small_table(150)),), ("mixup",), (0,), (60,), str(tiny), SETTINGS)
    launch(store, project, plan, workers=False)
    serve(store)
    assert {job.state for job in jobs.jobs(store, project)} == {State.CANCELLED}


def test_one_graph_is_found_for_all_runs_that_are_judged_by_causal_rows(
    store, project, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    from causalmix_core.augment.causal import Causal

    found, discover = [], Causal._discover

    def counted(self, *arguments):
        found.append(discover(self, *arguments))
        return found[-1]

    monkeypatch.setattr(Causal, "_discover", counted)
    stopping = Stopping(rule="synthetic", synthetic_rows=50)
    settings = replace(SETTINGS, steps=2, stopping=stopping)
    methods = ("none", "default", "causalmix", "random-forest")
    plan = Plan((Source(small_table(150)),), methods, (0,), (60,), str(tiny), settings)
    ids = launch(store, project, plan, workers=False)
    serve(store)
    runs = [jobs.job(store, each) for each in ids]
    assert {run.state for run in runs} == {State.DONE}, [run.error for run in runs]
    assert len(found) == 1
    (prepared,) = jobs.jobs(store, project, "prepare")
    # Another run that needs the graph takes the one that was found.
    other = launch(store, project, replace(plan, methods=("causal-only",)), workers=False)
    assert jobs.job(store, other[0]).request["prepared"] == prepared.id
    assert len(jobs.jobs(store, project, "prepare")) == 1
    assert repeat.main([str(store.home), ids[1]]) == 0


def _wait_for(condition, seconds: float = 120.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("It did not happen in time.")


def test_a_run_killed_in_the_middle_resumes_to_the_same_figures(
    store, project, tiny: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CAUSALMIX_WORKERS", "1")
    plan = Plan(
        (Source(small_table(200)),),
        ("default",),
        (0,),
        (90,),
        model=str(tiny),
        settings=replace(SETTINGS, steps=200, evaluate_every=10),
    )
    (job_id,) = launch(store, project, plan)
    _wait_for(lambda: len(jobs.curves(store, [job_id], since=30)))
    with store.reading() as connection:
        pid = connection.exec_driver_sql("SELECT pid FROM jobs").scalar()
    os.kill(pid, signal.SIGKILL)
    _wait_for(lambda: jobs.jobs(store, project)[0].state is State.INTERRUPTED)
    jobs.resume(store, job_id)
    (resumed,) = jobs.wait(store, [job_id], seconds=240)
    jobs.see_off(store)
    assert resumed.state is State.DONE, resumed.error

    other = Store(store.home / "other")
    again = other.create("p").id
    (whole_id,) = launch(other, again, plan, workers=False)
    serve(other)
    whole = jobs.job(other, whole_id)
    timed = {"seconds", "cpu_seconds", "memory_mb"}
    figures = [
        {name: value for name, value in job.result["metrics"].items() if name not in timed}
        for job in (resumed, whole)
    ]
    assert figures[0] == figures[1]
    curves = [
        points[points["metric"] != "seconds"]
        .drop(columns="job")
        .sort_values(["step", "split", "metric"], ignore_index=True)
        for points in (jobs.curves(store, [job_id]), jobs.curves(other, [whole_id]))
    ]
    pd.testing.assert_frame_equal(*curves)
    assert model_file(store, resumed).read_bytes() == model_file(other, whole).read_bytes()


def test_runs_go_on_when_the_app_is_killed(store, project, tiny: Path, tmp_path: Path):
    app = textwrap.dedent(
        f"""
        import sys, time
        from causalmix_core.experiment.plan import Plan, Source
        from causalmix_core.experiment.runs import launch
        from causalmix_core.experiment.store import Store
        from causalmix_core.finetune import Settings
        from tests.finetune.tiny import small_table
        plan = Plan((Source(small_table(120)),), ("default",), (0,), (60,), model={str(tiny)!r},
                    settings=Settings(steps=20, evaluate_every=5))
        print(*launch(Store({str(tmp_path)!r}), {project!r}, plan), flush=True)
        time.sleep(600)
        """
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", app], stdout=subprocess.PIPE, text=True, cwd=root
    ) as process:
        job_id = process.stdout.readline().strip()
        process.kill()
    _wait_for(lambda: jobs.jobs(store, project)[0].state.is_over)
    assert jobs.job(store, job_id).state is State.DONE


def test_a_model_that_changed_since_the_plan_is_not_used(store, project, tiny: Path, tmp_path):
    model = tmp_path / "mine.safetensors"
    model.write_bytes(tiny.read_bytes())
    plan = Plan((Source(small_table(120)),), ("none",), (0,), (60,), model=str(model))
    (job_id,) = launch(store, project, plan, workers=False)
    changed = checkpoint.load(model)
    changed["state_dict"] = {k: v + 0.01 for k, v in changed["state_dict"].items()}
    checkpoint.save(changed, model)
    serve(store)
    assert "not the one this run was planned with" in jobs.job(store, job_id).error
