"""`kodomo superset apply`: dashboards, roles, permissions, rules and accounts, in one transaction."""

from __future__ import annotations

import csv
import io
import logging
import secrets
import string
from dataclasses import dataclass, field
from typing import Any

from kodomo.access.access import Access, read_access
from kodomo.access.accounts import Renewal, read_accounts
from kodomo.access.staff import DEMO_STAFF, StaffMember, read_staff
from kodomo.clock import today
from kodomo.errors import KodomoError
from kodomo.files import write_atomically
from kodomo.home import Home
from kodomo.publication import refresh
from superset_config.security.applied import note_applied
from superset_config.security.grants import set_terms
from superset_config.security.names import MAIL_DOMAIN
from superset_config.security.rules import PREFIX, Role, Rule, roles, rules

_OWN_ROLES = ("area_", "dept_", "duty_", "view_", "entry_")


@dataclass
class Changes:
    """What an application did, or with a dry run would do: one line each, for people."""

    lines: list[str] = field(default_factory=list)
    passwords: dict[str, str] = field(default_factory=dict)

    def add(self, line: str) -> None:
        """Note one change."""
        self.lines.append(line)


def apply(home: Home, *, dry_run: bool = False) -> list[str]:
    """Make Superset what files and staff list say; returns what was changed, nothing if all was so already.

    One transaction: a dashboard is never visible without its rules, and a failure leaves everything as it
    was. Raises KodomoError for a staff list or a rule that is not understood.
    """
    from superset_config.server import create_app

    access = read_access()
    staff = read_staff(home.staff, access)
    if not staff:
        raise KodomoError(
            "There is no staff list {staff}: put one there, or run `kodomo superset staff --demo` for a demo.",
            staff=home.staff,
        )
    logging.disable(logging.WARNING)
    try:
        app = create_app(home)
        with app.app_context():
            return _apply_in(app, home, access, staff, dry_run)
    finally:
        logging.disable(logging.NOTSET)


def _apply_in(app: Any, home: Home, access: Access, staff: list[StaffMember], dry_run: bool) -> list[str]:
    from superset import db, security_manager

    from superset_config.assets_import import import_assets

    # Names of permissions grant no right by themselves: they are created before the transaction.
    app.appbuilder.add_permissions(update_perms=True)
    security_manager.create_custom_permissions()
    session = db.session
    changes = Changes()
    try:
        with session.no_autoflush:
            _make_roles(session, security_manager, access, changes)
        assets = import_assets()
        for verb, titles in (("made", assets.created), ("changed", assets.changed), ("deleted", assets.deleted)):
            for title in titles:
                changes.add(f"{title}: {verb}")
        _give_permissions(session, security_manager, access, changes)
        _set_rules(session, security_manager, access, changes)
        _set_accounts(session, security_manager, access, read_accounts(home).renewal, staff, changes)
        session.flush()
        _delete_charts_of_leavers(session, security_manager, access, changes)
        session.flush()
        if dry_run:
            session.rollback()
            return changes.lines
        changes.lines += refresh(home)
        _write_passwords(home, {member.username for member in staff}, changes.passwords)
        session.commit()
    except BaseException:
        session.rollback()
        raise
    note_applied(home)
    return changes.lines


def use_demo_staff(home: Home) -> bool:
    """Copy the demo's staff list into the home, unless there is a list; says whether it did."""
    if home.staff.exists():
        return False
    home.ensure()
    home.staff.touch(mode=0o600)
    home.staff.write_bytes(DEMO_STAFF.read_bytes())
    return True


def _is_own(name: str) -> bool:
    return name.startswith(_OWN_ROLES) or name in {"staff", "admin", "dv_authorised"}


def _make_roles(session: Any, manager: Any, access: Access, changes: Changes) -> None:
    wanted = {role.name for role in roles(access)}
    existing = {role.name: role for role in session.query(manager.role_model)}
    for name in sorted(wanted - set(existing)):
        session.add(manager.role_model(name=name))
        changes.add(f"role {name}: made")
    for name in sorted(set(existing) - wanted):
        if _is_own(name):
            existing[name].permissions = []
            existing[name].user = []
            session.flush()
            session.delete(existing[name])
            changes.add(f"role {name}: deleted")
    session.flush()


def _give_permissions(session: Any, manager: Any, access: Access, changes: Changes) -> None:
    from superset.connectors.sqla.models import SqlaTable

    datasets = {table.table_name: table for table in session.query(SqlaTable)}
    for role in roles(access):
        wanted = {*role.permissions}
        wanted |= {("datasource_access", datasets[name].perm) for name in role.tables if name in datasets}
        _set_permissions(session, manager, role, wanted, changes)


def _set_permissions(session: Any, manager: Any, role: Role, wanted: set[tuple[str, str]], changes: Changes) -> None:
    entity = session.query(manager.role_model).filter_by(name=role.name).one()
    existing = {(view.permission.name, view.view_menu.name): view for view in entity.permissions if view.permission}
    missing, too_many = sorted(wanted - set(existing)), sorted(set(existing) - wanted)
    if not missing and not too_many:
        return
    kept = [view for key, view in existing.items() if key in wanted]
    for permission, view_menu in missing:
        kept.append(_permission(session, manager, permission, view_menu))
        changes.add(f"role {role.name}: {permission} on {view_menu} given")
    for permission, view_menu in too_many:
        changes.add(f"role {role.name}: {permission} on {view_menu} taken")
    entity.permissions = kept


def _permission(session: Any, manager: Any, permission: str, view_menu: str) -> Any:
    """The pair of permission and view, made without a commit where it is missing."""
    rows = []
    for model, name in ((manager.permission_model, permission), (manager.viewmenu_model, view_menu)):
        row = session.query(model).filter_by(name=name).one_or_none()
        if row is None:
            row = model(name=name)
            session.add(row)
            session.flush()
        rows.append(row)
    pair = {"permission_id": rows[0].id, "view_menu_id": rows[1].id}
    view = session.query(manager.permissionview_model).filter_by(**pair).one_or_none()
    if view is None:
        view = manager.permissionview_model(**pair)
        session.add(view)
        session.flush()
    return view


def _set_rules(session: Any, manager: Any, access: Access, changes: Changes) -> None:
    from superset.connectors.sqla.models import RowLevelSecurityFilter, SqlaTable

    datasets = {table.table_name: table for table in session.query(SqlaTable)}
    by_name = {role.name: role for role in session.query(manager.role_model)}
    existing = {rule.name: rule for rule in session.query(RowLevelSecurityFilter)}
    wanted = {rule.name: rule for rule in rules(access)}
    for name, rule in wanted.items():
        row = existing.get(name)
        if row is None:
            row = RowLevelSecurityFilter(name=name)
            session.add(row)
        tables = [datasets[table] for table in rule.tables if table in datasets]
        if _rule_state(row) != _wanted_state(rule, tables):
            changes.add(f"rule {name}: {'changed' if name in existing else 'made'}")
            row.filter_type, row.group_key, row.clause = rule.kind, rule.group, rule.clause
            row.roles = [by_name[role] for role in rule.roles]
            row.tables = tables
            row.description = "access.yml"
    for name in sorted(set(existing) - set(wanted)):
        session.delete(existing[name])
        changes.add(f"rule {name.removeprefix(PREFIX)}: deleted")
    session.flush()


def _rule_state(row: Any) -> tuple[Any, ...]:
    return (
        str(getattr(row.filter_type, "value", row.filter_type)),
        row.group_key,
        row.clause,
        sorted(role.name for role in row.roles),
        sorted(table.table_name for table in row.tables),
    )


def _wanted_state(rule: Rule, tables: list[Any]) -> tuple[Any, ...]:
    return rule.kind, rule.group, rule.clause, sorted(rule.roles), sorted(table.table_name for table in tables)


def _set_accounts(
    session: Any, manager: Any, access: Access, renewal: Renewal, staff: list[StaffMember], changes: Changes
) -> None:
    from werkzeug.security import generate_password_hash

    by_name = {role.name: role for role in session.query(manager.role_model)}
    existing = {user.username: user for user in session.query(manager.user_model)}
    day = today()
    terms, changed = set_terms(session, renewal, staff, day)
    for member in staff:
        # The account stays, so that log-in can say why it is refused.
        wanted = [] if terms[member.username].refusal_ja(day) else member.roles(access)
        user = existing.get(member.username)
        if user is None:
            password = new_password()
            user = manager.user_model(
                username=member.username,
                first_name=member.display_name,
                last_name="",
                email=f"{member.username}@{MAIL_DOMAIN}",
                active=True,
                password=generate_password_hash(password),
            )
            user.roles = [by_name[name] for name in wanted]
            session.add(user)
            changes.passwords[member.username] = password
            changes.add(f"account {member.username}: made ({member.scope.key})")
            continue
        before = sorted(role.name for role in user.roles)
        if before != wanted:
            user.roles = [by_name[name] for name in wanted]
            given, taken = sorted(set(wanted) - set(before)), sorted(set(before) - set(wanted))
            words = [f"+{name}" for name in given] + [f"-{name}" for name in taken]
            changes.add(f"account {member.username}: roles {' '.join(words)}")
        if user.first_name != member.display_name:
            user.first_name = member.display_name
            changes.add(f"account {member.username}: name changed")
        if not user.active:
            user.active = True
            changes.add(f"account {member.username}: activated")
    for line in changed:
        changes.add(line)
    listed = {member.username for member in staff}
    for username in sorted(set(existing) - listed):
        user = existing[username]
        if user.active or user.roles:
            user.active, user.roles = False, []
            changes.add(f"account {username}: deactivated")
    session.flush()


def _delete_charts_of_leavers(session: Any, manager: Any, access: Access, changes: Changes) -> None:
    """Delete the charts and dashboards of accounts that may make none any more: nobody else could see or end them."""
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    exploring = {audience.role for audience in access.audiences.values() if audience.may_explore}
    may = {user.id for user in session.query(manager.user_model) if exploring & {role.name for role in user.roles}}
    names = {user.id: user.username for user in session.query(manager.user_model)}
    for model, word in ((Dashboard, "dashboards"), (Slice, "charts")):
        gone: dict[int | None, int] = {}
        for made in session.query(model).filter(model.is_managed_externally.is_(False)):
            if made.created_by_fk in may:
                continue
            gone[made.created_by_fk] = gone.get(made.created_by_fk, 0) + 1
            made.owners = []
            if model is Dashboard:
                made.slices, made.roles = [], []
            session.delete(made)
        for user_id, number in sorted(gone.items(), key=lambda pair: names.get(pair[0], "")):
            changes.add(f"account {names.get(user_id, 'unknown')}: own {word} deleted ({number})")
        session.flush()


def new_password() -> str:
    """A password that the policy takes, easy to type: 16 of letters and digits without look-alikes."""
    letters = [c for c in string.ascii_letters + string.digits if c not in "0O1lI"]
    while True:
        password = "".join(secrets.choice(letters) for _ in range(16))
        if (
            any(c.islower() for c in password)
            and any(c.isupper() for c in password)
            and any(map(str.isdigit, password))
        ):
            return password


def _write_passwords(home: Home, listed: set[str], new: dict[str, str]) -> None:
    """Add the initial passwords of new accounts to a file that only its owner reads."""
    if not new:
        return
    path = home.demo_accounts
    rows: dict[str, str] = {}
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            rows = {row["username"]: row["password"] for row in csv.DictReader(file) if row["username"] in listed}
    rows |= new
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["username", "password"])
    writer.writerows(sorted(rows.items()))
    write_atomically(path, text.getvalue())
