"""The page of projects: what is downloaded is the project as it is now."""

from dataclasses import replace

from streamlit import config

from causalmix_core import foundation
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


def test_a_project_keeps_its_name_where_another_is_blank(open_page: Open, space: Workspace) -> None:
    app = open_page("home")
    app.text_input(f"name-{space.project}").set_value("  ")
    app.button(f"rename-{space.project}").click().run()
    assert not app.exception
    assert [each.value for each in app.error] == ["Give the project a name."]
    assert space.store.get(space.project).name == "a project"
    assert app.button(f"duplicate-{space.project}").label == "Duplicate"
    assert any("another computer" in each.label for each in app.expander)


def test_what_the_app_hands_out_it_takes_back(open_page: Open) -> None:
    app = open_page("home")
    most = {each.key: each.proto.max_upload_size_mb for each in app.file_uploader}
    one_launch = 30 * foundation.model("tabpfn-v2").megabytes
    assert most["upload"] == 50
    assert most["bundle-up"] > one_launch
    # The server looks at its own limit alone.
    assert config.get_option("server.maxUploadSize") >= most["bundle-up"]
