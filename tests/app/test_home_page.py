"""The page of projects: what is downloaded is the project as it is now."""

from dataclasses import replace

from causalmix_core.experiment import jobs
from causalmix_core.experiment.workspace import Workspace

from .conftest import Open, assert_sound


def test_a_bundle_prepared_before_a_change_is_not_offered(
    open_page: Open, space: Workspace
) -> None:
    app = open_page("home")

    def offered() -> bool:
        app.run()
        assert_sound(app)
        return any(each.label == "Download as one file" for each in app.get("download_button"))

    def prepare() -> None:
        app.button(f"export-{space.project}").click().run()

    assert not offered()
    prepare()
    assert offered()
    space.choose(replace(space.choices(), target="smoker"))
    assert not offered()
    prepare()
    assert offered()
    run = jobs.start_job(space.store, space.project, "finetune", {}, launch=False)
    assert not offered()
    prepare()
    jobs.cancel(space.store, run)
    assert not offered()
