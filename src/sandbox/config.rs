//! What is decided about sandboxes before the server starts, with its defaults.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use super::{RateLimit, Settings, number_faults};
use crate::contract::Readings;
use crate::records::{Agents, RecordsConfig};
use crate::sandbox::faults::Fault;
use crate::sandbox::hazard::Hazards;

/// What all sandboxes have in common, and what each begins with.
#[derive(Clone, Debug)]
pub(crate) struct SandboxConfig {
    pub(crate) records: RecordsConfig,
    /// Whether any key that is not another agent's is one of agent *demo*.
    pub(crate) any_key: bool,
    pub(crate) readings: Readings,
    pub(crate) faults: Vec<Fault>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) hazards: Hazards,
    /// Whether the clock of a sandbox stands from its beginning.
    pub(crate) is_frozen: bool,
    /// So many requests of each sandbox are kept; 0: there is no journal, and no verdict.
    pub(crate) journal_requests: usize,
    /// So much memory all kept requests take together, in MiB.
    pub(crate) journal_mebibytes: usize,
    /// So much memory callers can make the server hold beyond its start and the journals, in MiB.
    pub(crate) max_mebibytes: usize,
    /// Gives the time of day, for the journal.
    pub(crate) clock: fn() -> SystemTime,
    /// This many sandboxes may be there beside the default one.
    pub(crate) sandboxes: usize,
    /// A sandbox that was not used for so long ends.
    pub(crate) sandbox_idle: Duration,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            records: RecordsConfig::default(),
            any_key: false,
            readings: Readings::default(),
            faults: Vec::new(),
            rate_limit: None,
            hazards: Hazards::default(),
            is_frozen: false,
            journal_requests: 1_000,
            journal_mebibytes: 8,
            max_mebibytes: 512,
            clock: SystemTime::now,
            sandboxes: 10_000,
            sandbox_idle: Duration::from_secs(3600),
        }
    }
}

impl SandboxConfig {
    /// Whether the records of agent *demo* are generated. Only then a sandbox can have records of
    /// another seed.
    pub(crate) fn generates(&self) -> bool {
        self.records.agents == Agents::BuiltIn
    }

    /// The settings that a sandbox begins with.
    ///
    /// # Errors
    ///
    /// The faults do not go together ([`number_faults`]).
    pub(crate) fn settings(&self) -> Result<Settings, String> {
        let faults = number_faults(self.faults.clone(), HashSet::new());
        Ok(Settings {
            seed: self.records.seed,
            conversations: self.generates().then_some(self.records.conversations),
            demo_user: self.records.demo_user.clone(),
            world: None,
            fixtures: None,
            readings: self.readings,
            any_key: self.any_key,
            faults: faults.map_err(|(_, why)| why)?.into(),
            rate_limit: self.rate_limit,
            hazards: self.hazards,
            frozen: self.is_frozen,
        })
    }

    /// A config that gives a sandbox these settings, but for its fixtures.
    pub(crate) fn of(settings: &Settings) -> Self {
        let default = Self::default();
        let faults = settings.faults.iter().map(|named| {
            let id = Some(named.id.to_string());
            Fault { id, ..(*named.fault).clone() }
        });
        Self {
            records: RecordsConfig {
                seed: settings.seed,
                conversations: settings.conversations.unwrap_or(default.records.conversations),
                demo_user: settings.demo_user.clone(),
                ..default.records
            },
            any_key: settings.any_key,
            readings: settings.readings,
            faults: faults.collect(),
            rate_limit: settings.rate_limit,
            hazards: settings.hazards,
            is_frozen: settings.frozen,
            ..default
        }
    }
}
