"""Northbank, the demo company: a regional bank with four branches, a subsidiary and a customer, and the people who support it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from allswell.desk import people as desk_people
from allswell.desk import services, setup, teams
from allswell.desk.door import use_case
from allswell.kernel.actor import Actor, Role

if TYPE_CHECKING:
    from allswell.people.models import Person

DOMAIN = "northbank.example"
ZONE = "Europe/Zurich"
#: for every person of the demo; ten characters or more, as everywhere
PASSWORD = "all-is-well-here"

#: name, name of the one above ("" for a root), kind
ORGANIZATIONS = (
    ("Northbank", "", "business_unit"),
    ("Head office", "Northbank", "business_unit"),
    ("Lindenhof branch", "Northbank", "business_unit"),
    ("Harbor branch", "Northbank", "business_unit"),
    ("Old Town branch", "Northbank", "business_unit"),
    ("Station branch", "Northbank", "business_unit"),
    ("Northbank Leasing", "Northbank", "business_unit"),
    ("Riverside Savings", "", "customer"),
)

#: name, line, lead, what it is for
TEAMS = (
    ("Service desk", 1, "Lena Frei", "First line: receives everything, solves most of it, hands over the rest."),
    ("Workplace", 2, "Paul Weber", "Laptops, screens, printers, moves."),
    ("Application support", 2, "Grace Okafor", "Core banking, Account look-up, loans, online banking."),
    ("Payments", 2, "Thomas Keller", "Payments, cards, cash machines."),
    ("Security and access", 2, "Ruth Simmons", "Accounts, rights, keys, and what looks suspicious."),
    ("Network", 3, "Viktor Lang", "Branch network, wireless, telephony, VPN."),
    ("Databases", 3, "Henrik Dahl", "Customer database and everything that stores rows."),
    ("Systems", 3, "Carla Mendes", "Servers, storage, backup, mail."),
)

#: name, organization, title, team ("" for none)
PEOPLE = (
    ("Helen Shaw", "Head office", "Chief information officer", ""),
    ("Martin Vogel", "Head office", "Head of IT operations", ""),
    ("Olga Brandt", "Head office", "Duty manager", ""),
    ("Ada Lindqvist", "Head office", "Administrator of the desk", ""),
    ("Audrey Marsh", "Head office", "Internal auditor", ""),
    ("Lena Frei", "Head office", "Lead of the service desk", "Service desk"),
    ("Jonas Berg", "Head office", "Service desk agent", "Service desk"),
    ("Julia Roth", "Head office", "Service desk agent", "Service desk"),
    ("Samir Aziz", "Head office", "Service desk agent", "Service desk"),
    ("Nina Kovac", "Head office", "Service desk agent", "Service desk"),
    ("Tom Becker", "Head office", "Service desk agent", "Service desk"),
    ("Paul Weber", "Head office", "Lead of workplace", "Workplace"),
    ("Ines Costa", "Head office", "Workplace engineer", "Workplace"),
    ("Marek Nowak", "Head office", "Workplace engineer", "Workplace"),
    ("Grace Okafor", "Head office", "Lead of application support", "Application support"),
    ("Daniel Stein", "Head office", "Application specialist", "Application support"),
    ("Yuki Tanaka", "Head office", "Application specialist", "Application support"),
    ("Sofia Rossi", "Head office", "Application specialist", "Application support"),
    ("Thomas Keller", "Head office", "Lead of payments", "Payments"),
    ("Mei Lin", "Head office", "Payments specialist", "Payments"),
    ("Pavel Horak", "Head office", "Payments specialist", "Payments"),
    ("Ruth Simmons", "Head office", "Lead of security and access", "Security and access"),
    ("Leo Fischer", "Head office", "Security engineer", "Security and access"),
    ("Viktor Lang", "Head office", "Lead of network", "Network"),
    ("Elena Petrova", "Head office", "Network engineer", "Network"),
    ("Ben Carter", "Head office", "Network engineer", "Network"),
    ("Henrik Dahl", "Head office", "Lead of databases", "Databases"),
    ("Amir Haddad", "Head office", "Database administrator", "Databases"),
    ("Priya Nair", "Head office", "Database administrator", "Databases"),
    ("Carla Mendes", "Head office", "Lead of systems", "Systems"),
    ("Oliver Hart", "Head office", "System engineer", "Systems"),
    ("Aisha Rahman", "Head office", "System engineer", "Systems"),
    ("Maria Keller", "Lindenhof branch", "Client adviser", ""),
    ("Rolf Meier", "Lindenhof branch", "Counter", ""),
    ("Clara Huber", "Lindenhof branch", "Client adviser", ""),
    ("Jan Novak", "Lindenhof branch", "Counter", ""),
    ("Eva Brunner", "Lindenhof branch", "Branch manager", ""),
    ("Marco Bianchi", "Lindenhof branch", "Apprentice", ""),
    ("Anna Schmidt", "Harbor branch", "Branch manager", ""),
    ("Peter Lund", "Harbor branch", "Client adviser", ""),
    ("Fatima Bensaid", "Harbor branch", "Business clients", ""),
    ("George Ellis", "Harbor branch", "Counter", ""),
    ("Hanna Virtanen", "Harbor branch", "Counter", ""),
    ("Lucas Moreau", "Old Town branch", "Branch manager", ""),
    ("Ingrid Olsen", "Old Town branch", "Client adviser", ""),
    ("Stefan Bauer", "Old Town branch", "Counter", ""),
    ("Tara Singh", "Old Town branch", "Mortgages", ""),
    ("Walter Koch", "Station branch", "Branch manager", ""),
    ("Nadia Hassan", "Station branch", "Client adviser", ""),
    ("Felix Braun", "Station branch", "Counter", ""),
    ("Chiara Conti", "Station branch", "Counter", ""),
    ("Laura Jensen", "Head office", "Head of back office", ""),
    ("Ahmed Saleh", "Head office", "Back office", ""),
    ("Beatrice Lang", "Head office", "Finance", ""),
    ("Dmitri Volkov", "Head office", "Compliance", ""),
    ("Emily Clarke", "Head office", "Marketing", ""),
    ("Robert Hansen", "Northbank Leasing", "Leasing adviser", ""),
    ("Camille Dubois", "Northbank Leasing", "Leasing adviser", ""),
    ("Susan Park", "Riverside Savings", "Operations", ""),
    ("David Romero", "Riverside Savings", "Operations", ""),
)

#: name, kind, criticality, receiving team, owner, support hours, what it is, needs
SERVICES: tuple[tuple[str, str, int, str, str, str, str, tuple[str, ...]], ...] = (
    ("Server platform", "technical_service", 2, "Systems", "Carla Mendes", "24 x 7", "Servers and virtual machines.", ()),
    ("Branch network", "technical_service", 1, "Network", "Viktor Lang", "24 x 7", "Lines, wireless and VPN.", ()),
    (
        "File storage",
        "technical_service",
        2,
        "Systems",
        "Carla Mendes",
        "Mon-Fri 6-20",
        "Team drives, snapshots and backup.",
        ("server-platform",),
    ),
    (
        "Single sign-on",
        "technical_service",
        1,
        "Security and access",
        "Ruth Simmons",
        "24 x 7",
        "One account for everything.",
        ("server-platform",),
    ),
    (
        "Customer database",
        "technical_service",
        1,
        "Databases",
        "Henrik Dahl",
        "24 x 7",
        "Clients, accounts and movements.",
        ("server-platform", "file-storage"),
    ),
    (
        "Core banking",
        "business_service",
        1,
        "Service desk",
        "Laura Jensen",
        "24 x 7",
        "Accounts, bookings, end of day.",
        ("customer-database", "single-sign-on", "branch-network"),
    ),
    (
        "Account look-up",
        "business_service",
        1,
        "Service desk",
        "Eva Brunner",
        "Mon-Sat 7-20",
        "Shows employees the accounts of their clients.",
        ("customer-database", "core-banking", "single-sign-on", "branch-network"),
    ),
    (
        "Payments",
        "business_service",
        1,
        "Service desk",
        "Thomas Keller",
        "24 x 7",
        "Transfers, standing orders, instant payments.",
        ("core-banking", "server-platform"),
    ),
    (
        "Online banking",
        "business_service",
        1,
        "Service desk",
        "Emily Clarke",
        "24 x 7",
        "The bank in the browser and on the phone.",
        ("core-banking", "customer-database", "payments"),
    ),
    (
        "Card services",
        "business_service",
        2,
        "Service desk",
        "Thomas Keller",
        "24 x 7",
        "Cards, limits, terminals at the counter.",
        ("payments", "branch-network"),
    ),
    (
        "Cash machines",
        "business_service",
        2,
        "Service desk",
        "Thomas Keller",
        "24 x 7",
        "Machines in the branches.",
        ("payments", "branch-network"),
    ),
    (
        "Loan applications",
        "business_service",
        2,
        "Service desk",
        "Tara Singh",
        "Mon-Fri 7-19",
        "From the first talk to the contract.",
        ("core-banking", "file-storage"),
    ),
    (
        "E-mail and calendar",
        "business_service",
        2,
        "Service desk",
        "Martin Vogel",
        "Mon-Sat 6-22",
        "Mail, calendar, shared mailboxes.",
        ("single-sign-on", "server-platform"),
    ),
    (
        "Telephony",
        "business_service",
        2,
        "Service desk",
        "Viktor Lang",
        "Mon-Sat 7-20",
        "Phones and the hotline.",
        ("branch-network",),
    ),
    (
        "Workplace and printing",
        "business_service",
        3,
        "Service desk",
        "Paul Weber",
        "Mon-Fri 7-18",
        "Laptop, screen, printer, desk.",
        ("branch-network", "single-sign-on"),
    ),
)

#: what the desk shows at the start: role, whose account
SIGN_INS = (
    ("requester", "Maria Keller"),
    ("agent", "Jonas Berg"),
    ("specialist", "Amir Haddad"),
    ("lead", "Lena Frei"),
    ("duty manager", "Olga Brandt"),
    ("administrator", "Ada Lindqvist"),
    ("auditor", "Audrey Marsh"),
)


class SignIn(NamedTuple):
    """An account of the demo: role, name, e-mail address and password."""

    role: str
    name: str
    email: str
    password: str


@dataclass(slots=True)
class Company:
    """Everybody and everything of the demo by name; teams and services by slug."""

    people: dict[str, Person] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    organizations: dict[str, int] = field(default_factory=dict)
    teams: dict[str, int] = field(default_factory=dict)
    members: dict[int, list[str]] = field(default_factory=dict)
    services: dict[str, int] = field(default_factory=dict)

    def employees(self) -> list[str]:
        """Those who report: everybody outside IT."""
        return [name for name, _, _, team in PEOPLE[5:] if not team]


def address(name: str) -> str:
    """maria.keller@northbank.example."""
    return f"{name.lower().replace(' ', '.')}@{DOMAIN}"


def sign_ins() -> list[SignIn]:
    """One account per role."""
    return [SignIn(role, name, address(name), PASSWORD) for role, name in SIGN_INS]


@use_case
def _start_words(*, actor: Actor, now: datetime) -> None:
    setup.starting_words(actor=actor, now=now)


def found(*, actor: Actor, now: datetime) -> Company:
    """Make the company: organizations, people, teams, roles, services. `now` is before its first ticket."""
    company = Company()
    by: dict[str, Any] = {"actor": actor, "now": now}
    for name, parent, kind in ORGANIZATIONS:
        above = company.organizations.get(parent)
        company.organizations[name] = teams.create_organization(name=name, parent=above, kind=kind, **by).pk
    _start_words(**by)
    password_hash = desk_people.hash_of(PASSWORD)
    for name, organization, title, _ in PEOPLE:
        company.homes[name] = organization
        company.people[name] = desk_people.create_person(
            name=name,
            email=address(name),
            organization=company.organizations[organization],
            title=title,
            location=organization,
            time_zone=ZONE,
            password_hash=password_hash,
            **by,
        )
    _grant(company, actor=actor, now=now)
    for name, kind, criticality, team, owner, hours, description, needs in SERVICES:
        row = services.create_service(
            name=name,
            kind=kind,
            criticality=criticality,
            team=company.teams[team],
            owner=company.people[owner].pk,
            support_hours=hours,
            description=description,
            needs=needs,
            **by,
        )
        company.services[row.slug] = row.pk
    return company


def _grant(company: Company, *, actor: Actor, now: datetime) -> None:
    """Roles, teams and who reports to whom."""
    for name, role in (
        ("Olga Brandt", Role.DUTY_MANAGER),
        ("Martin Vogel", Role.DUTY_MANAGER),
        ("Helen Shaw", Role.AUDITOR),
        ("Ada Lindqvist", Role.ADMINISTRATOR),
        ("Audrey Marsh", Role.AUDITOR),
    ):
        desk_people.grant_role(company.people[name].pk, role=role, actor=actor, now=now)
    desk_people.edit_person(company.people["Martin Vogel"].pk, manager=company.people["Helen Shaw"].pk, actor=actor, now=now)
    for name, line, lead, description in TEAMS:
        details = {"line": line, "description": description, "email": f"{name.lower().replace(' ', '-')}@{DOMAIN}"}
        row = teams.create_team(name=name, lead=company.people[lead].pk, actor=actor, now=now, **details)
        company.teams[name] = row.pk
        company.members[row.pk] = []
        desk_people.edit_person(company.people[lead].pk, manager=company.people["Martin Vogel"].pk, actor=actor, now=now)
    for name, _, _, team in PEOPLE:
        if team:
            desk_people.grant_role(company.people[name].pk, role=Role.AGENT, actor=actor, now=now)
            teams.join_team(company.people[name].pk, team=company.teams[team], actor=actor, now=now)
            company.members[company.teams[team]].append(name)
