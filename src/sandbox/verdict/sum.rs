//! Adds the verdicts on many sandboxes.

use hashbrown::HashMap;

use super::{Coverage, RULES, Verdict};

/// A sum has at most this many findings of one rule.
const MAX_FINDINGS: usize = 200;

/// A sum has at most this many faults.
const MAX_FAULTS: usize = 1_000;

/// A sum of verdicts. Adding a verdict takes a time that depends on that verdict only, because
/// thousands of sandboxes may end at once.
#[derive(Clone, Default)]
pub(crate) struct VerdictSum {
    verdict: Verdict,
    /// The number of findings of each rule, by its place in [`RULES`].
    of_rule: [usize; RULES.len()],
    /// The place of each fault in the coverage's list.
    faults: HashMap<String, usize>,
}

impl VerdictSum {
    pub(crate) fn add(&mut self, one: Verdict) {
        for finding in one.findings {
            let of_rule = &mut self.of_rule[finding.rule as usize];
            if *of_rule < MAX_FINDINGS {
                *of_rule += 1;
                self.verdict.findings.push(finding);
            }
        }
        self.verdict.requests += one.requests;
        let Coverage { faults, .. } = &one.coverage;
        for (fault, struck) in faults {
            let all = &mut self.verdict.coverage.faults;
            match self.faults.get(fault) {
                Some(place) => all[*place].1 |= struck,
                None if all.len() < MAX_FAULTS => {
                    self.faults.insert(fault.clone(), all.len());
                    all.push((fault.clone(), *struck));
                }
                None => {}
            }
        }
        self.verdict.coverage.merge(&one.coverage);
    }

    /// Adds the verdict on a sandbox that has ended. A sandbox without requests adds nothing, not
    /// even its faults.
    pub(crate) fn add_past(&mut self, one: Verdict) {
        if one.requests > 0 {
            self.add(one);
        }
    }

    /// The sum, its findings by rule and sandbox.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut verdict = self.verdict.clone();
        verdict.findings.sort_by(|a, b| (a.rule, &a.sandbox).cmp(&(b.rule, &b.sandbox)));
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::verdict::{Finding, Rule};

    /// A verdict of one finding of each of two rules, and one fault.
    fn verdict(number: u64) -> Verdict {
        let finding = |rule| Finding {
            rule,
            sandbox: format!("{number:05}"),
            what: String::new(),
            requests: vec![number],
            request_lines: Vec::new(),
            times: 1,
        };
        let mut verdict = Verdict {
            findings: vec![finding(Rule::NoPause), finding(Rule::KeyInUrl)],
            requests: 1,
            ..Verdict::default()
        };
        verdict.coverage.set_faults(vec![(format!("fault-{}", number % 2_000), number == 8_500)]);
        verdict
    }

    #[test]
    fn ten_thousand_verdicts_keep_200_findings_of_a_rule_and_each_fault_once() {
        let mut sum = VerdictSum::default();
        (0..10_000).for_each(|number| sum.add_past(verdict(number)));
        // A sandbox without requests adds nothing.
        sum.add_past(Verdict { requests: 0, ..verdict(0) });
        let verdict = sum.verdict();
        assert_eq!(verdict.requests(), 10_000);
        let rules: Vec<Rule> = verdict.findings().iter().map(|finding| finding.rule).collect();
        assert_eq!(rules, [[Rule::KeyInUrl; MAX_FINDINGS], [Rule::NoPause; MAX_FINDINGS]].concat());
        assert!(verdict.findings().windows(2).all(|two| two[0].requests != two[1].requests));
        let faults = &verdict.coverage.faults;
        assert_eq!(faults.len(), MAX_FAULTS);
        let struck = faults.iter().filter(|(_, struck)| *struck);
        assert_eq!(struck.map(|(fault, _)| &**fault).collect::<Vec<_>>(), ["fault-500"]);
    }
}
