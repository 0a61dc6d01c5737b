use super::*;

const NEWEST: RowOrder = RowOrder { reversed: false, newest_first: true };
const OLDEST: RowOrder = RowOrder { reversed: false, newest_first: false };

/// The rows of the first pages, of seven matches, three a page, and their totals.
fn pages(order: RowOrder, hazards: &[Hazard]) -> Vec<(Vec<u64>, u64)> {
    let mut all = Hazards::default();
    for hazard in hazards {
        all.add(Some(Operation::QaRecords), *hazard);
    }
    let page = |page| VisiblePage::page(7, (page, 3), order, Operation::QaRecords, all);
    let last = page(2).last;
    let rows = |seen: &VisiblePage| {
        let end = (seen.slice.skip + seen.slice.take).min(7);
        (seen.slice.skip..end.max(seen.slice.skip)).collect()
    };
    (1..=last).map(|number| (rows(&page(number)), page(number).total)).collect()
}

#[test]
fn each_does_what_it_says() {
    let row = |rows: &[u64], total| (rows.to_vec(), total);
    for (order, hazards, expected) in [
        (NEWEST, &[][..], vec![row(&[0, 1, 2], 7), row(&[3, 4, 5], 7), row(&[6], 7)]),
        (NEWEST, &[Hazard::Arrival], vec![row(&[1, 2, 3], 6), row(&[3, 4, 5], 7), row(&[6], 7)]),
        (OLDEST, &[Hazard::Arrival], vec![row(&[0, 1, 2], 6), row(&[3, 4, 5], 7), row(&[6], 7)]),
        (NEWEST, &[Hazard::Departure], vec![row(&[0, 1, 2], 7), row(&[4, 5, 6], 6)]),
        (OLDEST, &[Hazard::ShortPage], vec![row(&[0, 1], 7), row(&[2, 3, 4], 7), row(&[5, 6], 7)]),
        (
            OLDEST,
            &[Hazard::RepeatedRow],
            vec![row(&[0, 1, 2], 7), row(&[2, 3, 4], 7), row(&[5, 6], 7)],
        ),
        (
            OLDEST,
            &[Hazard::MovingTotal],
            vec![row(&[0, 1, 2], 7), row(&[3, 4, 5], 8), row(&[6], 7)],
        ),
        (OLDEST, &[Hazard::ExactMultiple], vec![row(&[0, 1, 2], 6), row(&[3, 4, 5], 6)]),
        (
            OLDEST,
            &[Hazard::ShortPage, Hazard::RepeatedRow],
            vec![row(&[0, 1], 7), row(&[1, 2, 3], 7), row(&[4, 5, 6], 7)],
        ),
    ] {
        assert_eq!(pages(order, hazards), expected, "{hazards:?}");
    }
}

#[test]
fn few_rows_and_far_pages_are_no_exception() {
    let mut all = Hazards::default();
    for row in &HAZARDS {
        all.add(None, row.hazard);
    }
    for matches in 0..9 {
        for size in 1..5 {
            for page in [1, 2, 3, u64::MAX] {
                for order in [NEWEST, OLDEST] {
                    let seen =
                        VisiblePage::page(matches, (page, size), order, Operation::Messages, all);
                    assert!(seen.slice.take <= size && seen.last >= 1);
                    assert!(seen.slice.len(matches) == seen.slice.take, "{matches} {seen:?}");
                }
            }
        }
    }
}

#[test]
fn row_n_belongs_to_hazard_n() {
    for (place, row) in HAZARDS.iter().enumerate() {
        assert_eq!(row.hazard as usize, place);
    }
}

#[test]
fn texts_come_back() {
    let mut hazards = Hazards::default();
    hazards.add_text("arrival").unwrap();
    hazards.add_text("qa:short-page").unwrap();
    assert_eq!(hazards.texts(), ["arrival", "qa:short-page"]);
    let error = hazards.add_text("messages:arival").unwrap_err();
    assert!(error.contains("did you mean arrival?"), "{error}");
    assert!(hazards.add_text("qaa:arrival").unwrap_err().contains("did you mean qa?"));
}
