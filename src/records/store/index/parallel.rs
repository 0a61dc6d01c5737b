//! Work that is shared among threads.

use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::thread;

/// From so many conversations on, an index is made by several threads, and in the background
/// where it can be. Below, a thread would take longer to start than to be of use.
const LARGE: u32 = 50_000;

/// More threads would mostly wait for memory.
const MOST: usize = 4;

/// Whether an index of so many conversations takes long to make.
pub(in crate::records::store) const fn is_large(conversations: u32) -> bool {
    conversations > LARGE
}

/// How many threads make an index of so many conversations.
pub(in crate::records::store) fn threads(conversations: u32) -> usize {
    if is_large(conversations) {
        thread::available_parallelism().map_or(1, NonZero::get).min(MOST)
    } else {
        1
    }
}

/// Does jobs: side by side if there may be several threads, each job on its own, the last on this
/// one. What comes of them is in their order.
pub(super) fn in_parallel<J: Sync, D: Send>(
    threads: usize,
    jobs: &[J],
    work: impl Fn(&J) -> D + Sync,
) -> Vec<D> {
    let last_and_others = if threads > 1 { jobs.split_last() } else { None };
    let Some((last, others)) = last_and_others else { return jobs.iter().map(work).collect() };
    let work = &work;
    thread::scope(|scope| {
        let others: Vec<_> = others
            .iter()
            .map(|job| (job, thread::Builder::new().spawn_scoped(scope, move || work(job))))
            .collect();
        let last = work(last);
        let others = others.into_iter().map(|(job, thread)| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
            // No thread was to be had.
            Err(_) => work(job),
        });
        let mut done: Vec<_> = others.collect();
        done.push(last);
        done
    })
}

/// `0..len` in `parts` ranges of about the same length.
pub(super) fn split(len: usize, parts: usize) -> Vec<Range<usize>> {
    (0..parts).map(|part| len * part / parts..len * (part + 1) / parts).collect()
}
