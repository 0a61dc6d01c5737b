//! Which parts of the contract requests have covered.

use super::ServedPage;
use crate::contract::{Code, ENDPOINTS, Endpoint, Operation};

/// Edge cases of paging.
const EDGES: [&str; 5] = ["first page", "last page", "short page", "no rows", "past the end"];

/// The covered parts of the contract, one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    of: [EndpointCoverage; Operation::COUNT],
    /// 404 and 405, which belong to no endpoint.
    elsewhere: u16,
    /// The faults of the sandbox, and whether a request met them.
    pub(super) faults: Vec<(String, bool)>,
}

/// The covered parts of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct EndpointCoverage {
    answered: bool,
    /// One bit for each code, by its place among all codes.
    codes: u16,
    /// One bit for each of [`EDGES`].
    edges: u8,
    /// One bit for each value of the filter, by its place in the list.
    filters: u64,
}

impl Coverage {
    /// Notes a request.
    pub(super) fn note(
        &mut self,
        endpoint: Option<&Endpoint>,
        code: Option<Code>,
        page: Option<&ServedPage>,
    ) {
        let bit = code.map_or(0, |code| 1 << code as u16);
        let Some(endpoint) = endpoint else {
            self.elsewhere |= bit;
            return;
        };
        if code == Some(Code::MethodNotAllowed) {
            self.elsewhere |= bit;
        }
        let of = &mut self.of[endpoint.operation as usize];
        of.codes |= bit;
        if code == Some(Code::PageExceedsTotal) {
            of.edges |= 1 << 4;
        }
        let Some(page) = page else { return };
        of.answered = true;
        let edges = [
            page.page == 1,
            page.page == page.last,
            page.rows > 0 && page.rows < page.size,
            page.rows == 0,
            page.page > page.last,
        ];
        for (place, met) in edges.into_iter().enumerate() {
            of.edges |= u8::from(met) << place;
        }
        if let Some(place) = page.filter {
            of.filters |= 1 << place.min(63);
        }
    }

    pub(crate) fn set_faults(&mut self, faults: Vec<(String, bool)>) {
        self.faults = faults;
    }

    /// Adds what other requests have covered, except faults, which [`VerdictSum`] counts.
    ///
    /// [`VerdictSum`]: super::VerdictSum
    pub(super) fn merge(&mut self, other: &Self) {
        for (of, more) in self.of.iter_mut().zip(&other.of) {
            of.answered |= more.answered;
            of.codes |= more.codes;
            of.edges |= more.edges;
            of.filters |= more.filters;
        }
        self.elsewhere |= other.elsewhere;
    }

    /// Every part of the contract, and whether it was covered.
    pub(crate) fn items(&self) -> Vec<(String, bool)> {
        let mut items = Vec::new();
        for endpoint in ENDPOINTS {
            let (of, path) = (&self.of[endpoint.operation as usize], endpoint.path);
            items.push((format!("{path}: a successful response"), of.answered));
            for code in Code::ALL.into_iter().filter(|code| can_answer(endpoint, *code)) {
                let met = of.codes & 1 << code as u16 != 0;
                items.push((format!("{path}: code {}", code.number()), met));
            }
            for (place, edge) in EDGES.iter().enumerate() {
                items.push((format!("{path}: {edge}"), of.edges & 1 << place != 0));
            }
            let filters = endpoint.params.iter().map(|param| (param.field, param.kind.words()));
            for (field, words) in filters {
                for (place, word) in words.into_iter().enumerate() {
                    let met = of.filters & 1 << place.min(63) != 0;
                    items.push((format!("{path}: {}={word}", field.name()), met));
                }
            }
        }
        for code in [Code::NotFound, Code::MethodNotAllowed] {
            let met = self.elsewhere & 1 << code as u16 != 0;
            items.push((format!("code {}", code.number()), met));
        }
        items.extend(self.faults.iter().map(|(fault, met)| (format!("fault {fault}"), *met)));
        items
    }

    /// How many parts were covered, and how many there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let items = self.items();
        (items.iter().filter(|(_, met)| *met).count(), items.len())
    }

    /// The share in percent, rounded down, so that 100 means everything.
    pub(crate) fn percent(&self) -> u32 {
        let (met, all) = self.counts();
        u32::try_from(met * 100 / all).expect("a percentage fits")
    }
}

/// Whether an endpoint can answer with a code, under any reading or by a fault.
fn can_answer(endpoint: &Endpoint, code: Code) -> bool {
    !matches!(code, Code::NotFound | Code::MethodNotAllowed)
        && endpoint.error(code).is_some()
        // The lists answer with it under one reading only.
        && (code != Code::PageExceedsTotal || endpoint.documents(code))
}
