"""Prose: names, companies, assets and campaigns in English and French. All of it is invented."""

from typing import NamedTuple

LANGUAGES = ("en", "fr")
TOPICS = (
    "security",
    "integration",
    "pricing",
    "analytics",
    "compliance",
    "automation",
    "migration",
    "support",
)


class Title(NamedTuple):
    """One asset in both languages; `slug` and language make its id."""

    slug: str
    en: str
    fr: str


class TopicProse(NamedTuple):
    """What marketing has to say about a topic: two documents, a webinar, a campaign."""

    guide: Title
    paper: Title
    webinar: Title
    campaign: str


PROSE = (
    TopicProse(
        Title(
            "guide-zero-trust",
            "Zero trust in ninety days: a field guide",
            "Le zero trust en quatre-vingt-dix jours : guide de terrain",
        ),
        Title(
            "wp-ransomware-readiness",
            "Ready before the ransom note: a readiness checklist",
            "Prêts avant la demande de rançon : la liste de contrôle",
        ),
        Title(
            "wb-incident-room",
            "Inside the incident room: the first 24 hours",
            "Au cœur de la cellule de crise : les 24 premières heures",
        ),
        "Trust Nothing, Sleep Well",
    ),
    TopicProse(
        Title(
            "guide-crm-in-a-week",
            "Connect your CRM in a week, without a project",
            "Connecter votre CRM en une semaine, sans chantier",
        ),
        Title(
            "wp-api-first",
            "API first: what it saves and what it costs",
            "L'API d'abord : ce que l'on gagne, ce qu'il en coûte",
        ),
        Title(
            "wb-live-connectors",
            "Live build: three connectors in forty minutes",
            "En direct : trois connecteurs en quarante minutes",
        ),
        "Everything Connected",
    ),
    TopicProse(
        Title(
            "guide-business-case",
            "The business case your finance director will sign",
            "Le dossier que votre direction financière signera",
        ),
        Title(
            "wp-total-cost",
            "Beyond the licence: total cost over five years",
            "Au-delà de la licence : le coût total sur cinq ans",
        ),
        Title(
            "wb-budget-season",
            "Budget season: five questions before you renew",
            "Saison des budgets : cinq questions avant de renouveler",
        ),
        "Worth Every Euro",
    ),
    TopicProse(
        Title(
            "guide-metrics-that-matter",
            "Twelve metrics that matter, and thirty that do not",
            "Douze indicateurs qui comptent, et trente qui ne comptent pas",
        ),
        Title(
            "wp-one-version-of-truth",
            "One version of the truth: a data model for revenue teams",
            "Une seule version des faits : un modèle de données pour les équipes commerciales",
        ),
        Title(
            "wb-dashboards-used",
            "Dashboards people open on Monday morning",
            "Des tableaux de bord que l'on ouvre le lundi matin",
        ),
        "See It Sooner",
    ),
    TopicProse(
        Title(
            "guide-audit-trail",
            "The audit trail, from burden to habit",
            "La piste d'audit, de la contrainte à l'habitude",
        ),
        Title(
            "wp-data-residency",
            "Where your data sleeps: residency explained",
            "Où dorment vos données : la localisation expliquée",
        ),
        Title(
            "wb-ask-the-auditor",
            "Ask the auditor: an hour of straight answers",
            "La parole à l'auditrice : une heure de réponses franches",
        ),
        "Audit-Ready All Year",
    ),
    TopicProse(
        Title(
            "guide-first-ten-workflows",
            "Your first ten workflows, step by step",
            "Vos dix premiers processus, pas à pas",
        ),
        Title(
            "wp-hours-back",
            "Hours back: what forty teams stopped doing by hand",
            "Du temps retrouvé : ce que quarante équipes ne font plus à la main",
        ),
        Title(
            "wb-no-code-clinic",
            "No-code clinic: bring us your worst process",
            "La clinique du no-code : apportez-nous votre pire processus",
        ),
        "Hands Off the Routine",
    ),
    TopicProse(
        Title(
            "guide-weekend-migration",
            "The weekend migration: a plan hour by hour",
            "Migrer en un week-end : le plan heure par heure",
        ),
        Title(
            "wp-leaving-legacy",
            "Leaving legacy behind, without losing history",
            "Quitter l'ancien système sans perdre l'historique",
        ),
        Title(
            "wb-lessons-migrated",
            "Lessons from two hundred migrations",
            "Les leçons de deux cents migrations",
        ),
        "Move Without Tears",
    ),
    TopicProse(
        Title(
            "guide-onboarding",
            "Thirty days to productive: the onboarding guide",
            "Opérationnels en trente jours : le guide de prise en main",
        ),
        Title(
            "wp-support-that-answers",
            "Support that answers: what to ask of a vendor",
            "Un support qui répond : ce qu'il faut exiger d'un éditeur",
        ),
        Title(
            "wb-customer-stories",
            "Customers tell: the call that saved the quarter",
            "Paroles de clients : l'appel qui a sauvé le trimestre",
        ),
        "Here When It Counts",
    ),
)
EVENTS = ("Revenue Days", "Les Rencontres du Numérique", "Open Factory Forum", "Salon Données et Décision")


def _words(en: str, fr: str) -> dict[str, list[str]]:
    return {"en": en.split(), "fr": fr.split()}


FIRST_NAMES = _words(
    en=(
        "Alice Amelia Anna Beth Charlotte Claire Daisy Eleanor Emily Fiona Grace Hannah Helen Isla Jane"
        " Kate Laura Lucy Megan Nora Olivia Priya Rachel Sarah Sophie Adam Andrew Ben Callum Daniel David"
        " Edward Finn George Harry Hugh Imran Jack James Kevin Liam Marcus Nathan Oscar Owen Patrick Rory"
        " Samuel Thomas William"
    ),
    fr=(
        "Adèle Agathe Amina Anaïs Aurélie Camille Céline Chloé Clémence Élodie Élise Emma Fanny Hélène"
        " Inès Jeanne Juliette Léa Louise Manon Margaux Nadia Pauline Solène Zoé Adrien Alexandre Antoine"
        " Arthur Bastien Benoît Cédric Damien Étienne Fabien Florian Gaël Guillaume Hugo Julien Karim"
        " Loïc Mathieu Maxime Nicolas Olivier Quentin Rémi Sébastien Yann"
    ),
)
LAST_NAMES = _words(
    en=(
        "Abbott Ashworth Barlow Bennett Blackwood Bradshaw Carver Chandler Clarke Coleman Cooper Dawson"
        " Ellison Fairfax Fletcher Garrett Gibson Hale Harding Hawkins Holloway Hughes Iqbal Jenkins"
        " Keating Lambert Langley Lowe Marsh Mercer Morgan Nolan Osborne Parrish Patel Pembroke Quinn"
        " Radcliffe Reeves Sawyer Sinclair Stanton Thornton Underwood Vaughan Wainwright Walsh Webster"
        " Winslow Yates"
    ),
    fr=(
        "Allard Aubert Barbier Beaumont Benali Berthier Blanchard Bonnet Bouchard Carpentier Chevalier"
        " Colin Delorme Deschamps Diallo Dufour Dupuis Fabre Faure Fontaine Gaillard Garnier Girard"
        " Guérin Haddad Jacquet Joubert Lacroix Lambert Leclerc Lefort Legrand Lemaire Marchand Mercier"
        " Meunier Monnier Morel Noël Perrin Picard Rivière Rousseau Royer Tessier Vasseur Verdier Vidal"
        " Villeneuve Weber"
    ),
)
COMPANY_STEMS = _words(
    en=(
        "Alderbrook Ashgrove Birchfield Blackmere Brightwater Calderstone Cobalt Crestline Dunmore"
        " Eastgate Elmhurst Fernhill Foxglove Glenrock Greystone Harborview Hawthorn Ironbridge Juniper"
        " Kestrel Larkfield Lindenway Meridian Millbrook Northgate Oakwell Pinecrest Quarry Redfern"
        " Ridgeway Saltmarsh Silverbirch Stonebridge Thistledown Westerly Whitmore Windrush Wolfcote"
        " Wrenfield Yarrow"
    ),
    fr=(
        "Aiguebelle Ardoisière Aubépine Beaurivage Belleroche Boréalis Brumaire Cendrier Clairval"
        " Corbière Coudray Églantier Estuaire Ferrandine Fontclair Genévrier Grandval Hauterive Joncherie"
        " Lavandin Lormoy Marronnier Merisier Montbrun Morvane Noirmont Orvalie Passerelle Peyrolles"
        " Pontcarré Quintefeuille Rochebrune Sableuse Sorbier Tilleul Tramontane Valombre Verclause"
        " Vermeil Viaduc"
    ),
)
COMPANY_TRADES = {  # by industry, in the order of `world.INDUSTRIES`
    "en": (
        ("Software", "Systems", "Cloud Services", "Data Works"),
        ("Manufacturing", "Components", "Precision Works", "Industries"),
        ("Logistics", "Freight", "Warehousing", "Shipping"),
        ("Health", "Clinics", "Diagnostics", "Care Group"),
        ("Retail", "Stores", "Home & Garden", "Outfitters"),
        ("Borough Council", "Water Authority", "School Trust", "Transport Authority"),
    ),
    "fr": (
        ("Logiciels", "Systèmes", "Services Cloud", "Ingénierie Numérique"),
        ("Industries", "Mécanique", "Ateliers", "Composants"),
        ("Logistique", "Transports", "Entrepôts", "Fret"),
        ("Santé", "Cliniques", "Diagnostic", "Soins"),
        ("Distribution", "Magasins", "Maison et Jardin", "Comptoirs"),
        ("Agglomération", "Régie des Eaux", "Académie", "Mobilités"),
    ),
}


class Asset(NamedTuple):
    """A row of the assets table."""

    asset: str
    title: str
    topic: str
    language: str
    address: str
    shareable: bool


def _list_assets() -> tuple[Asset, ...]:
    assets: list[Asset] = []
    for topic, prose in zip(TOPICS, PROSE, strict=True):
        for title in (prose.guide, prose.paper, prose.webinar):
            for language, words in (("en", title.en), ("fr", title.fr)):
                name = f"{title.slug}-{language}"
                address = f"https://example.com/{language}/{topic}/{title.slug}"
                assets.append(Asset(name, words, topic, language, address, title.slug != "wp-total-cost"))
    return tuple(assets)


#: Asset of topic t, document d (guide, paper, webinar) and language l: position (3 t + d) * 2 + l.
ASSETS = _list_assets()


def list_campaigns(quarters: int) -> tuple[str, ...]:
    """Campaign of topic t in quarter q: position 8 q + t; after these one event per quarter."""
    stamps = [f"{2023 + q // 4} Q{q % 4 + 1}" for q in range(quarters)]
    mailings = [f"{prose.campaign} {stamp}" for stamp in stamps for prose in PROSE]
    return (*mailings, *(f"{EVENTS[q % len(EVENTS)]} {stamp}" for q, stamp in enumerate(stamps)))
