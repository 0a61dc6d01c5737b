//! Paging hazards, as a client that fetches page after page sees them: which rows move, compared with the rows
//! without a hazard.

use std::ops::Range;

use gptbots_mock::contract::{
    ListTotal, MessagesOrder, Operation, PagePastEnd, QaOrder, V2MessagesOrder,
};
use gptbots_mock::{Hazard, ServerBuilder};
use serde_json::json;

use crate::support::client::fetch;
use crate::support::control::{control, put};
use crate::support::paged::{LISTS, Page, Paged, Walk, page, records};
use crate::support::process::{Process, command, run};
use crate::support::walk::{LIST, QA};

const ALL: [Hazard; 6] = [
    Hazard::Arrival,
    Hazard::Departure,
    Hazard::ShortPage,
    Hazard::RepeatedRow,
    Hazard::MovingTotal,
    Hazard::ExactMultiple,
];

/// Fetches all pages of each endpoint with this number of rows and these hazards, twice.
#[track_caller]
fn walks(
    builder: ServerBuilder,
    rows: u32,
    hazards: &[Hazard],
    expected: impl Fn(&Paged) -> Vec<Page>,
) {
    let server = builder.start().unwrap();
    for hazard in hazards {
        server.sandbox("a").hazard(*hazard);
    }
    for paged in &LISTS {
        let walk = Walk::new(&server, paged, rows);
        let mut expected = expected(paged);
        // One page more, which is past the end.
        let past = expected.len() as u64 + 1;
        let total = match expected.last() {
            // The record that arrives after page 1 is there by then.
            Some(_) if past == 2 && hazards.contains(&Hazard::Arrival) => u64::from(rows),
            Some(Page::Rows(_, total)) => *total,
            other => panic!("{other:?}"),
        };
        expected.push(if paged.refuses { Page::PastEnd } else { page(0..0, total) });
        for round in 1..=2 {
            let got: Vec<_> = (1..=past).map(|number| walk.page("a", number)).collect();
            assert_eq!(got, expected, "{:?}, round {round}", paged.operation);
        }
    }
}

/// The same for every endpoint.
#[track_caller]
fn all_walk<const N: usize>(rows: u32, hazard: Hazard, expected: &[(Range<usize>, u64); N]) {
    walks(records(), rows, &[hazard], |_| {
        expected.iter().map(|(rows, total)| page(rows.clone(), *total)).collect()
    });
}

#[test]
fn without_a_hazard_pages_are_adjacent() {
    walks(records(), 25, &[], |_| vec![page(0..10, 25), page(10..20, 25), page(20..25, 25)]);
    walks(records(), 20, &[], |_| vec![page(0..10, 20), page(10..20, 20)]);
}

/// Newest first, the last row of page 1 is the first of page 2; oldest first, the last page has a
/// row more than page 1 said.
#[test]
fn arrival_shifts_rows_or_lengthens_the_end() {
    walks(records(), 25, &[Hazard::Arrival], |paged| {
        let first = if paged.newest_first { 1..11 } else { 0..10 };
        vec![page(first, 24), page(10..20, 25), page(20..25, 25)]
    });
}

/// According to page 1 there are two full pages. The new row makes a third page.
#[test]
fn arrival_can_add_a_page() {
    walks(records(), 21, &[Hazard::Arrival], |paged| {
        let first = if paged.newest_first { 1..11 } else { 0..10 };
        vec![page(first, 20), page(10..20, 21), page(20..21, 21)]
    });
}

#[test]
fn an_arrival_on_a_page_that_is_not_full_is_not_seen_by_a_walk() {
    walks(records(), 9, &[Hazard::Arrival], |paged| {
        vec![page(if paged.newest_first { 1..9 } else { 0..8 }, 8)]
    });
}

#[test]
fn an_arrival_can_be_the_first_record_of_all() {
    walks(records(), 1, &[Hazard::Arrival], |_| vec![page(0..0, 0)]);
}

#[test]
fn an_arrival_follows_the_order_that_a_reading_sets() {
    let reversed = records()
        .reading(MessagesOrder::NewestFirst)
        .reading(V2MessagesOrder::OldestFirst)
        .reading(QaOrder::NewestFirst);
    walks(reversed, 25, &[Hazard::Arrival], |paged| {
        let list = paged.operation == Operation::ConversationList;
        let first = if list || !paged.newest_first { 1..11 } else { 0..10 };
        vec![page(first, 24), page(10..20, 25), page(20..25, 25)]
    });
}

#[test]
fn a_departure_hides_the_row_behind_page_1() {
    all_walk(25, Hazard::Departure, &[(0..10, 25), (11..21, 24), (21..25, 24)]);
}

/// According to page 1 there are three pages, but the third no longer exists when it is requested.
#[test]
fn departure_can_remove_a_page() {
    all_walk(21, Hazard::Departure, &[(0..10, 21), (11..21, 20)]);
}

#[test]
fn a_departure_follows_the_order_that_a_reading_sets() {
    let reversed = records().reading(MessagesOrder::NewestFirst).reading(QaOrder::NewestFirst);
    walks(reversed, 25, &[Hazard::Departure], |_| {
        vec![page(0..10, 25), page(11..21, 24), page(21..25, 24)]
    });
}

#[test]
fn a_short_page_loses_no_row() {
    all_walk(25, Hazard::ShortPage, &[(0..9, 25), (9..19, 25), (19..25, 25)]);
}

/// Rows that would fill two pages need three.
#[test]
fn short_page_can_add_a_page() {
    all_walk(20, Hazard::ShortPage, &[(0..9, 20), (9..19, 20), (19..20, 20)]);
}

#[test]
fn a_short_page_needs_a_page_behind_it() {
    all_walk(10, Hazard::ShortPage, &[(0..10, 10)]);
    all_walk(11, Hazard::ShortPage, &[(0..9, 11), (9..11, 11)]);
}

#[test]
fn a_repeated_row_is_the_last_of_page_1_and_the_first_of_page_2() {
    all_walk(25, Hazard::RepeatedRow, &[(0..10, 25), (9..19, 25), (19..25, 25)]);
}

#[test]
fn repeated_row_can_add_a_page() {
    all_walk(20, Hazard::RepeatedRow, &[(0..10, 20), (9..19, 20), (19..20, 20)]);
}

#[test]
fn a_repeated_row_needs_a_page_behind_it() {
    all_walk(10, Hazard::RepeatedRow, &[(0..10, 10)]);
    all_walk(11, Hazard::RepeatedRow, &[(0..10, 11), (9..11, 11)]);
}

#[test]
fn a_moving_total_is_one_more_on_every_second_page() {
    let server = records().start().unwrap();
    server.sandbox("a").hazard(Hazard::MovingTotal);
    for paged in &LISTS {
        let walk = Walk::new(&server, paged, 25);
        let got = [1, 2, 3].map(|number| walk.page("a", number));
        assert_eq!(got, [page(0..10, 25), page(10..20, 26), page(20..25, 25)]);
    }
}

#[test]
fn an_exact_multiple_cuts_what_does_not_fill_a_page() {
    all_walk(25, Hazard::ExactMultiple, &[(0..10, 20), (10..20, 20)]);
    all_walk(19, Hazard::ExactMultiple, &[(0..10, 10)]);
}

#[test]
fn an_exact_multiple_leaves_full_pages_and_less_than_one_alone() {
    all_walk(20, Hazard::ExactMultiple, &[(0..10, 20), (10..20, 20)]);
    all_walk(9, Hazard::ExactMultiple, &[(0..9, 9)]);
}

/// The error for a page past the end counts the rows after the change.
#[test]
fn the_reason_of_40005_counts_with_the_hazard() {
    let server = records().start().unwrap();
    server.sandbox("a").hazard(Hazard::ExactMultiple);
    let walk = Walk::new(&server, &LISTS[1], 25);
    let reason = "page 3 does not exist; there are 2 pages (20 rows)";
    walk.ask("a", 3, 10).refused(400, 40005, "Page number exceeds total.", reason);
}

#[test]
fn a_reading_that_serves_empty_pages_does_so_under_a_hazard() {
    let server = records().reading(PagePastEnd::Empty).start().unwrap();
    server.sandbox("a").hazard(Hazard::Departure);
    for paged in &LISTS {
        let walk = Walk::new(&server, paged, 21);
        assert_eq!(walk.page("a", 3), page(0..0, 20));
    }
}

#[test]
fn a_total_that_counts_the_page_counts_the_rows_that_are_seen() {
    let server = records().reading(ListTotal::Page).start().unwrap();
    server.sandbox("a").hazard(Hazard::ShortPage);
    let walk = Walk::new(&server, &LISTS[0], 25);
    assert_eq!(walk.page("a", 1), page(0..9, 9));
}

#[test]
fn a_hazard_on_one_operation_leaves_the_others_alone() {
    for hazard in ALL {
        for on in &LISTS {
            let server = records().start().unwrap();
            server.sandbox("a").hazard_on(on.operation, hazard);
            for paged in &LISTS {
                let walk = Walk::new(&server, paged, 25);
                let differs =
                    (1..=3).any(|n| walk.ask("a", n, 10).body != walk.ask("b", n, 10).body);
                let own = paged.operation == on.operation;
                assert_eq!(differs, own, "{hazard} on {:?}, {:?}", on.operation, paged.operation);
            }
        }
    }
}

/// For all combinations: a page has at most `page_size` rows and no row twice, and a page past the last one is
/// empty; all pages together lose and repeat no more rows than the hazards allow.
#[test]
fn any_combination_of_hazards_gives_a_possible_walk() {
    let server = records().start().unwrap();
    for together in 0..1_u32 << ALL.len() {
        let has = |hazard: &Hazard| together & 1 << *hazard as u32 != 0;
        let words: Vec<_> = ALL.iter().filter(|hazard| has(hazard)).map(|h| h.word()).collect();
        put(&server, "a", &json!({ "hazards": words }));
        for (paged, rows) in LISTS.iter().flat_map(|paged| [(paged, 10), (paged, 11), (paged, 21)])
        {
            let walk = Walk::new(&server, paged, rows);
            let mut seen = vec![0; rows as usize];
            for number in 1..=5 {
                let Page::Rows(places, _) = walk.page("a", number) else { continue };
                assert!(places.len() <= 10 && places.is_sorted_by(|a, b| a < b), "{words:?}");
                assert!(number < 5 || places.is_empty(), "{words:?}");
                for place in places {
                    seen[place] += 1;
                }
            }
            let one = |hazard| usize::from(has(&hazard));
            let cut = if has(&Hazard::ExactMultiple) { rows as usize % 10 } else { 0 };
            let lost = seen.iter().filter(|times| **times == 0).count();
            let may = one(Hazard::Departure) + one(Hazard::Arrival) + cut;
            assert!(lost <= may, "{lost} of {rows} rows are lost: {words:?}");
            let again: usize = seen.iter().map(|times: &usize| times.saturating_sub(1)).sum();
            let may = one(Hazard::Arrival) + one(Hazard::RepeatedRow);
            assert!(again <= may, "{again} of {rows} rows are met again: {words:?}");
        }
    }
}

/// The deleted row and the row that is missing on page 1 are different rows.
#[test]
fn a_departure_takes_no_row_that_a_short_page_keeps_back() {
    let both = [Hazard::Departure, Hazard::ShortPage];
    walks(records(), 11, &both, |_| vec![page(0..9, 11), page(10..11, 10)]);
}

/// One hazard moves the rows down, the other up, so a client sees neither, as docs/hazards.md says.
#[test]
fn a_departure_cancels_out_what_moves_rows_the_other_way() {
    walks(records(), 25, &[Hazard::Departure, Hazard::RepeatedRow], |_| {
        vec![page(0..10, 25), page(10..20, 24), page(20..25, 24)]
    });
    walks(records(), 25, &[Hazard::Departure, Hazard::Arrival], |paged| {
        let first = if paged.newest_first { 1..11 } else { 0..10 };
        vec![page(first, 24), page(11..21, 24), page(21..25, 24)]
    });
}

/// Page 1 was the last page and full when it was requested, so no row is missing on it, and only the arrival
/// repeats a row.
#[test]
fn an_arrival_makes_no_page_short_that_was_seen_before() {
    for other in [Hazard::ShortPage, Hazard::RepeatedRow] {
        walks(records(), 11, &[Hazard::Arrival, other], |paged| {
            vec![page(if paged.newest_first { 1..11 } else { 0..10 }, 10), page(10..11, 11)]
        });
    }
}

#[test]
fn flags_switch_hazards_on_for_every_sandbox() {
    let args = ["--hazard", "exact-multiple", "--hazard", "qa:short-page"];
    let (_server, address) = Process::serve(&args);
    let always = "start_time=0&end_time=9999999999999&page=1";
    let list = format!("{LIST}?conversation_type=ALL&{always}&page_size=90");
    let qa = format!("{QA}?user_feedback=ALL&{always}&page_size=10");
    for key in ["app-demo", "app-demo~a"] {
        assert_eq!(fetch(address, key, &list).ok().json()["total"], 180, "{key}");
        assert_eq!(fetch(address, key, &qa).rows("qa").len(), 9, "{key}");
    }
    let shown = control(address, "GET", "/sandboxes/a", "").ok().json();
    assert_eq!(shown["settings"]["hazards"], json!(["qa:short-page", "exact-multiple"]));
}

#[test]
fn a_flag_that_is_no_hazard_is_refused_with_the_nearest() {
    let ended = run(&mut command(&["--hazard", "arival", "--port", "0"]));
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("did you mean arrival?"), "{ended:?}");
}
