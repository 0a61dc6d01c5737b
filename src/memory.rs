//! The limit of the memory that clients can make a server allocate after its start. All sandboxes and
//! request bodies share it. Nothing is evicted when it is reached: a request that does not fit is refused
//! before its memory is allocated.

use std::sync::Arc;

use parking_lot::Mutex;
use thiserror::Error;

/// The budget of a server.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    limit: usize,
    taken: Mutex<Taken>,
}

/// The reserved memory, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) total: usize,
    /// The part of the total that request bodies take.
    pub(crate) by_bodies: usize,
    /// The number of request bodies.
    pub(crate) bodies: usize,
}

/// The purpose of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    RequestBody,
    /// A sandbox, or its records.
    Sandbox,
}

/// The budget is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the memory budget of {limit} bytes has no room for {wanted} more bytes")]
pub(crate) struct BudgetFull {
    pub(crate) wanted: usize,
    pub(crate) limit: usize,
    /// The reserved memory at the time of the refusal.
    pub(crate) taken: Taken,
}

/// A reserved part of a budget. It is released on drop.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<MemoryBudget>,
    purpose: Purpose,
    bytes: usize,
}

impl MemoryBudget {
    pub(crate) fn new(mebibytes: usize) -> Arc<Self> {
        Arc::new(Self { limit: mebibytes.saturating_mul(1 << 20), taken: Mutex::default() })
    }

    /// An empty reservation, which its owner lets grow.
    pub(crate) fn reservation(self: &Arc<Self>, purpose: Purpose) -> Reservation {
        if purpose == Purpose::RequestBody {
            self.taken.lock().bodies += 1;
        }
        Reservation { budget: Arc::clone(self), purpose, bytes: 0 }
    }

    #[cfg(test)]
    pub(crate) fn taken(&self) -> Taken {
        *self.taken.lock()
    }
}

impl Reservation {
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Grows the reservation to at least this number of bytes. If they do not fit, it does not change.
    pub(crate) fn cover(&mut self, bytes: usize) -> Result<(), BudgetFull> {
        let Some(wanted) = bytes.checked_sub(self.bytes).filter(|more| *more > 0) else {
            return Ok(());
        };
        let limit = self.budget.limit;
        let mut taken = self.budget.taken.lock();
        if wanted > limit.saturating_sub(taken.total) {
            return Err(BudgetFull { wanted, limit, taken: *taken });
        }
        self.bytes += wanted;
        taken.total += wanted;
        if self.purpose == Purpose::RequestBody {
            taken.by_bodies += wanted;
        }
        Ok(())
    }

    /// Shrinks the reservation to at most this number of bytes.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let less = self.bytes.saturating_sub(bytes);
        self.bytes -= less;
        let mut taken = self.budget.taken.lock();
        taken.total -= less;
        if self.purpose == Purpose::RequestBody {
            taken.by_bodies -= less;
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
        if self.purpose == Purpose::RequestBody {
            self.budget.taken.lock().bodies -= 1;
        }
    }
}

/// A number of bytes as a text such as `1.5 MiB`.
pub(crate) fn mebibytes(bytes: usize) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_and_what_ends_is_given_back() {
        let budget = MemoryBudget::new(1);
        let mut first = budget.reservation(Purpose::Sandbox);
        first.cover(600 << 10).unwrap();
        let mut second = budget.reservation(Purpose::RequestBody);
        let full = second.cover(500 << 10).unwrap_err();
        assert_eq!((full.wanted, full.limit), (500 << 10, 1 << 20));
        assert_eq!(full.taken, Taken { total: 600 << 10, by_bodies: 0, bodies: 1 });
        first.shrink_to(100 << 10);
        second.cover(500 << 10).unwrap();
        let taken = Taken { total: 600 << 10, by_bodies: 500 << 10, bodies: 1 };
        assert_eq!(budget.taken(), taken);
        drop((first, second));
        assert_eq!(budget.taken(), Taken::default());
    }

    #[test]
    fn a_reservation_grows_to_the_last_byte_of_the_budget() {
        let budget = MemoryBudget::new(1);
        let mut reservation = budget.reservation(Purpose::Sandbox);
        reservation.cover(1).unwrap();
        reservation.cover(1 << 20).unwrap();
        assert!(reservation.cover((1 << 20) + 1).is_err());
        assert_eq!(reservation.bytes(), 1 << 20);
    }
}
