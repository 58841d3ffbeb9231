"""`tunegate review`: the web page for data and model versions, served or written as files, and who may decide on it."""

from pathlib import Path
from typing import Annotated

import typer

from tunegate.workspace import Workspace, write_atomically


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="The web page for data and model versions.", invoke_without_command=True)
    group.callback()(review)
    people = typer.Typer(help="Who may decide on the page: a token each.", no_args_is_help=True)
    people.command("add")(add)
    people.command("remove")(remove)
    people.command("list")(list_people)
    group.add_typer(people, name="people")
    app.add_typer(group, name="review")


def review(
    context: typer.Context,
    port: Annotated[int, typer.Option(min=0, max=65535, help="the port to listen on (0: a free one)")] = 8765,
    host: Annotated[
        str, typer.Option(help="the address to listen on; beyond loopback everybody needs a token")
    ] = "127.0.0.1",
    public_name: Annotated[
        str, typer.Option(help="behind a proxy with TLS: the name browsers know it by; everybody needs a token")
    ] = "",
    export: Annotated[
        Path | None, typer.Option(help="write the pages as files into this folder; serve nothing")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="write a summary fit for a pull request into this file; serve nothing")
    ] = None,
) -> None:
    """Serve the page on this machine; Ctrl-C ends it. Or write it as files."""
    if context.invoked_subcommand is not None:
        return
    workspace = Workspace.find()
    if export is not None:
        from tunegate.review.static import write_site

        print(f"{write_site(workspace, export):,} pages in {export}: open {export / 'index.html'}")
    if markdown is not None:
        from tunegate.review.summary import summary

        write_atomically(markdown, summary(workspace))
        print(f"The summary is in {markdown}.")
    if export is None and markdown is None:
        from tunegate.review.serving import address_of, listen, serve

        listening = listen(workspace, host, port, public_name)
        print(f"The page is at {address_of(listening)} (Ctrl-C ends it).", flush=True)
        serve(workspace, host, listening, public_name)


def add(name: Annotated[str, typer.Argument(help='the person: "Ada Lovelace <ada@example.org>"')]) -> None:
    """Give a person a token. It is shown once, and kept only as a hash."""
    from tunegate.review.people import People

    token = People.of(Workspace.find()).add(name)
    print(f"The token of {name.strip()}, shown this once; pass it on where nobody else reads it:")
    print(token)


def remove(name: Annotated[str, typer.Argument(help="the person, as `list` shows it")]) -> None:
    """Take a person's token back, at once also where it is in use."""
    from tunegate.review.people import People

    People.of(Workspace.find()).remove(name)
    print(f"{name} has no token any more.")


def list_people() -> None:
    """Everybody who has a token."""
    from tunegate.review.people import People

    people = People.of(Workspace.find()).all()
    for person in people:
        print(f"{person.name}\tsince {person.since}")
    if not people:
        print("Nobody has a token: on this machine the git user decides, and nobody else can reach the page.")
