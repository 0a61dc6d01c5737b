//! The configuration of sandboxes, which is fixed when the server starts, with its defaults.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use super::{RateLimit, Settings, number_faults};
use crate::contract::Readings;
use crate::records::{Agents, RecordsConfig};
use crate::sandbox::faults::Fault;
use crate::sandbox::hazard::Hazards;

/// The configuration that all sandboxes share, and the settings that each begins with.
#[derive(Clone, Debug)]
pub(crate) struct SandboxConfig {
    pub(crate) records: RecordsConfig,
    /// Whether every key that no other agent has is accepted as a key of agent *demo*.
    pub(crate) any_key: bool,
    pub(crate) readings: Readings,
    pub(crate) faults: Vec<Fault>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) hazards: Hazards,
    /// Whether the clock of a sandbox is stopped from the beginning.
    pub(crate) is_frozen: bool,
    /// The most requests in the journal of each sandbox; 0: there is no journal, and no verdict.
    pub(crate) journal_requests: usize,
    /// The most memory that all journals take together, in MiB.
    pub(crate) journal_mebibytes: usize,
    /// The most memory that clients can make the server use in addition to its start and the journals, in
    /// MiB.
    pub(crate) max_mebibytes: usize,
    /// Returns the time of day, for the journal.
    pub(crate) clock: fn() -> SystemTime,
    /// The most sandboxes in addition to the default one.
    pub(crate) sandboxes: usize,
    /// A sandbox that was not used for this time ends.
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
    /// Whether the records of agent *demo* are generated. Only then can a sandbox have records with
    /// another seed.
    pub(crate) fn generates(&self) -> bool {
        self.records.agents == Agents::BuiltIn
    }

    /// The settings that a sandbox begins with.
    ///
    /// # Errors
    ///
    /// The faults conflict with each other ([`number_faults`]).
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

    /// A config with these settings of a sandbox, except for its fixtures.
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
