//! What of the contract requests have met.

use super::PageSeen;
use crate::contract::{Code, ENDPOINTS, Endpoint, Operation};

/// Edges of paging.
const EDGES: [&str; 5] = ["first page", "last page", "short page", "no rows", "past the end"];

/// What requests have met: a bit for each thing that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    of: [OfEndpoint; Operation::COUNT],
    /// 404 and 405, which are no endpoint's own.
    elsewhere: u16,
    /// Faults that were set, and whether they struck.
    pub(super) faults: Vec<(String, bool)>,
}

/// What was met of an endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct OfEndpoint {
    answered: bool,
    /// By the place of the code among all.
    codes: u16,
    /// By the place in [`EDGES`].
    edges: u8,
    /// By the place of the value in its list.
    filters: u64,
}

impl Coverage {
    /// Notes a request.
    pub(super) fn meet(
        &mut self,
        endpoint: Option<&Endpoint>,
        code: Option<Code>,
        page: Option<&PageSeen>,
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

    /// Adds what other requests have met, but for the faults, which [`VerdictSum`] counts.
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

    /// Everything that there is to meet, and whether it was.
    pub(crate) fn items(&self) -> Vec<(String, bool)> {
        let mut items = Vec::new();
        for endpoint in ENDPOINTS {
            let (of, path) = (&self.of[endpoint.operation as usize], endpoint.path);
            items.push((format!("{path}: an answer"), of.answered));
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

    /// How many things were met, of how many.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let items = self.items();
        (items.iter().filter(|(_, met)| *met).count(), items.len())
    }

    /// Rounded down, so that 100 is everything.
    pub(crate) fn percent(&self) -> u32 {
        let (met, all) = self.counts();
        u32::try_from(met * 100 / all.max(1)).unwrap_or(0)
    }
}

/// Whether an endpoint answers a code, under some reading or not: those that it alone has, and
/// those that faults bring.
fn can_answer(endpoint: &Endpoint, code: Code) -> bool {
    !matches!(code, Code::NotFound | Code::MethodNotAllowed)
        && endpoint.error(code).is_some()
        // Only a reading brings it to the lists.
        && (code != Code::PageExceedsTotal || endpoint.documents(code))
}
