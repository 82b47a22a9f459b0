"""Each trap is counted exactly, can be switched off, and changes nothing of the story."""

from touchline.features.sources.simulated import Traps, simulate

CONTENT = "occurred_at, kind, channel, campaign, asset, topic, direction"


def one(ask, simulation, query):
    ((number,),) = ask(simulation, query)
    return number


def test_late_facts_are_webinars_and_events_and_all_counted(ask, dirty, clean):
    first = (
        "(select touch_id, any_value(kind) as kind, min(known_at) as known_at, min(occurred_at) as occurred_at"
        " from touches group by 1)"
    )
    late = ask(dirty, f"select kind, count(*) from {first} where known_at > occurred_at group by 1 order by 1")
    assert [kind for kind, _ in late] == ["event", "webinar"]
    assert sum(number for _, number in late) == dirty.planted.late_facts > 0
    assert one(ask, clean, "select count(*) from touches where known_at != occurred_at") == 0


def test_late_facts_are_known_in_a_later_week_as_the_world_says(ask, usual):
    weeks = ask(
        usual,
        """select date_diff('day', date_trunc('week', occurred_at), date_trunc('week', known_at)) // 7 as weeks,
                  count(*) * 1.0 / sum(count(*)) over () as share
           from touches where kind in ('webinar', 'event') and occurred_at < timestamp '2025-09-01'
           group by 1 order by 1""",
    )
    assert [week for week, _ in weeks] == [0, 1, 2, 3]
    for (_, share), expected in zip(weeks, (0.4, 0.3, 0.2, 0.1), strict=True):
        assert abs(float(share) - expected) < 0.02


def test_scanners_act_within_seconds_of_a_send_and_are_all_counted(ask, dirty, clean):
    found = ask(dirty, "select kind, count(distinct touch_id) from scanned group by 1 order by 1")
    assert found == [("email_click", dirty.planted.scanner_clicks), ("email_open", dirty.planted.scanner_opens)]
    accounts = "select count(distinct account_id) from scanned join leads using (lead_id)"
    assert one(ask, dirty, accounts) == dirty.planted.scanner_accounts
    assert one(ask, clean, "select count(*) from scanned") == clean.planted.scanner_opens == 0


def test_duplicates_are_all_counted_and_identical(ask, dirty, usual):
    total, distinct = ask(dirty, "select count(*), count(distinct touch_id) from touches")[0]
    assert total - distinct == dirty.planted.duplicate_deliveries > 0
    contents = f"select count(*) from (select distinct touch_id, lead_id, {CONTENT} from touches)"
    assert one(ask, dirty, contents) == distinct
    anew = f"select count(distinct touch_id) - count(distinct (lead_id, {CONTENT})) from touches"
    assert one(ask, dirty, anew) == dirty.planted.duplicate_contents > 0
    assert one(ask, usual, "select count(*) - count(distinct touch_id) from touches") == 0


def test_merges_join_two_ids_of_one_account(ask, dirty):
    assert one(ask, dirty, "select count(*) from merges") == dirty.planted.merges > 0
    pairs = """from merges m join leads f on f.lead_id = m.from_lead join leads i on i.lead_id = m.into_lead
               where f.account_id = i.account_id and f.name = i.name and f.created_at > i.created_at
               and m.merged_at > f.created_at"""
    assert one(ask, dirty, f"select count(*) {pairs}") == dirty.planted.merges
    after = "from touches t join merges m on t.lead_id = m.from_lead where t.occurred_at >= m.merged_at"
    assert one(ask, dirty, f"select count(*) {after}") == 0
    touches = "select count(distinct t.touch_id) from touches t join merges m on t.lead_id = m.from_lead"
    extra = (
        f"select count(*) from (select distinct t.touch_id, t.lead_id, {CONTENT} from touches t join merges m"
        " on t.lead_id = m.from_lead)"
    )
    assert one(ask, dirty, touches) == one(ask, dirty, extra)
    genuine = touches.replace("t.touch_id", f"(t.lead_id, {CONTENT})")
    assert one(ask, dirty, genuine) == dirty.planted.merged_touches > 0


def test_leaky_field_tells_who_was_won(ask, usual, clean):
    filled = one(ask, usual, "select count(*) from leads where phone_filled")
    assert filled == usual.planted.phones_filled
    won = "from leads where phone_filled and lead_id in (select lead_id from deals where outcome = 'won')"
    assert one(ask, usual, f"select count(*) {won}") == usual.planted.phones_filled_by_sales > filled / 4
    assert one(ask, clean, "select count(*) from (describe leads) where column_name = 'phone_filled'") == 0


def test_traps_do_not_change_the_story(ask, dirty, clean):
    """Accounts, people, deals and human touches are equal once ids are merged and what came too late is set aside."""
    assert ask(dirty, "from accounts order by all") == ask(clean, "from accounts order by all")
    assert ask(dirty, "from deals order by all") == ask(clean, "from deals order by all")
    people = (
        "select * exclude (phone_filled) from leads where lead_id not in (select from_lead from merges) order by all"
    )
    assert ask(dirty, people) == ask(clean, "from leads order by all")
    touches = f"""select distinct coalesce(m.into_lead, t.lead_id) as lead_id, {CONTENT}
                  from human t left join merges m on m.from_lead = t.lead_id"""
    with_traps = set(ask(dirty, touches))
    without = set(ask(clean, f"select lead_id, {CONTENT} from human"))
    assert with_traps < without
    assert len(without - with_traps) == dirty.planted.late_facts_dropped
    assert {touch[2] for touch in without - with_traps} == {"webinar", "event"}


def test_traps_off_the_optimum_keep_its_probabilities(ask, dirty, tmp_path):
    """Scanners, duplicates, merges and the leaky field tell nothing about intent: without them, the same truth."""
    traps = Traps(scanners=False, leaky_field=False)
    bare = simulate(tmp_path, leads=6_000, seed=3, traps=traps)
    assert ask(bare, "from truth order by all") == ask(dirty, "from truth order by all")


def test_one_person_per_account(ask, tmp_path):
    single = simulate(tmp_path, leads=2_000, traps=Traps(several_people=False))
    assert abs(single.people - 2_000) < 120
    assert one(ask, single, "select count(*) - count(distinct account_id) from leads") == 0
    happened = "select sum(won::int) / sum(probability) from truth where won is not null"
    assert 0.6 < float(one(ask, single, happened)) < 1.5
