//! The agents and their records.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use super::Day;
use crate::document::{Diagnostics, DocumentError};
use crate::keys::check_key;
use crate::memory::Reservation;
use crate::records::fixtures::{self, FixtureText};
use crate::records::generate::{Generator, MAX_CONVERSATIONS};
use crate::records::store::{LoadedRecords, Store, index_records, index_records_whole};
use crate::suggest::quoted;

/// The settings of agents and records.
#[derive(Clone, Debug)]
pub(crate) struct RecordsConfig {
    /// The seed of the generated records.
    pub(crate) seed: u64,
    /// The number of conversations of agent *demo*.
    pub(crate) conversations: u32,
    /// The end of the generated records.
    pub(crate) now: Day,
    /// The id of the user of agent *demo* who has the most conversations; `None`: it is generated, too.
    pub(crate) demo_user: Option<String>,
    /// Further keys of agent *demo*.
    pub(crate) api_keys: Vec<String>,
    pub(crate) agents: Agents,
    /// Whether warnings about fixtures are errors.
    pub(crate) strict: bool,
}

impl Default for RecordsConfig {
    fn default() -> Self {
        Self {
            seed: 1,
            conversations: 200,
            now: Day::DEFAULT,
            demo_user: None,
            api_keys: Vec::new(),
            agents: Agents::BuiltIn,
            strict: false,
        }
    }
}

/// The error where there is no demo user.
pub(crate) const NO_DEMO_USER: &str =
    "there is no demo user, because fixtures replace the generated records";

/// The longest id of a user that can be chosen, in characters, because each row of the user has it.
pub(crate) const LONGEST_USER_ID: usize = 256;

/// Checks an id that is chosen for a user. As in a fixture, it must not be empty.
pub(crate) fn check_user_id(id: &str) -> Result<(), String> {
    match id.chars().count() {
        0 => Err("the id of a user must not be empty".to_owned()),
        1..=LONGEST_USER_ID => Ok(()),
        length => Err(format!(
            "the id of a user must have at most {LONGEST_USER_ID} characters, got {length}"
        )),
    }
}

impl RecordsConfig {
    /// Checks that the generated records can have the chosen user.
    pub(crate) fn check_demo_user(&self) -> Result<(), String> {
        let Some(id) = &self.demo_user else { return Ok(()) };
        check_user_id(id)?;
        if self.conversations == 0 {
            return Err("there is no demo user, because there are 0 conversations".to_owned());
        }
        if self.drawn().has_other_user(id) {
            let (id, seed) = (quoted(id), self.seed);
            return Err(format!(
                "the demo user cannot be {id}: seed {seed} generates another user with this id"
            ));
        }
        Ok(())
    }

    /// The generator of the records, with generated user ids.
    fn drawn(&self) -> Generator {
        let (end_ms, until_ms) = (self.now.end_ms(), self.now.until_ms());
        Generator::new(self.seed, self.conversations, end_ms, until_ms)
    }

    /// The generator of the records of agent *demo*. The chosen user has been checked.
    pub(crate) fn generator(&self) -> Generator {
        let mut generator = self.drawn();
        if let Some(id) = &self.demo_user {
            generator.name_heaviest_user(id);
        }
        generator
    }
}

/// Where agents and records come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Agents {
    /// The examples of the vendor's pages, generated records, and a deleted agent.
    #[default]
    BuiltIn,
    /// Fixtures that are not in files.
    Texts(Arc<[FixtureText]>),
    /// Fixture files, and folders of them.
    Paths(Vec<PathBuf>),
}

/// An agent ("bot"), which is selected by one or more keys. Clones share the records.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) keys: Vec<String>,
    /// The keys that are public, because they are built in or derived from the agent's name.
    pub(crate) public_keys: Vec<String>,
    /// Whether the agent is deleted, so that every call with its keys is refused.
    pub(crate) deleted: bool,
    pub(crate) store: Store,
}

/// All agents of a server. They are immutable, so any number of sandboxes can share them.
pub(crate) struct World {
    pub(crate) agents: Vec<Agent>,
    /// The warnings about their fixtures.
    pub(crate) warnings: Diagnostics,
    /// The agent that further keys belong to.
    main: usize,
    /// The memory reservation of records that were made for one sandbox.
    memory: Option<Reservation>,
}

/// The name of the agent that has the generated records.
pub(crate) const DEMO: &str = "demo";

/// The key of agent *demo*, which has the generated records.
pub(crate) const DEMO_KEY: &str = "app-demo";

/// The key of agent *deleted*.
pub(crate) const DELETED_KEY: &str = "app-deleted";

/// Why the agents could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum WorldError {
    #[error(transparent)]
    Fixture(#[from] DocumentError),
    /// A key that cannot be sent, or that another agent has.
    #[error("{0}")]
    Key(String),
    #[error("the number of conversations must be at most {MAX_CONVERSATIONS}, got {0}")]
    TooManyConversations(u32),
    /// Another setting that is wrong.
    #[error("{0}")]
    Setting(String),
}

impl World {
    /// The agents of a fixture, or the built-in ones.
    pub(crate) fn new(config: &RecordsConfig) -> Result<Self, WorldError> {
        if config.conversations > MAX_CONVERSATIONS {
            return Err(WorldError::TooManyConversations(config.conversations));
        }
        if config.demo_user.is_some() {
            let checked = match config.agents {
                Agents::BuiltIn => config.check_demo_user(),
                Agents::Texts(_) | Agents::Paths(_) => Err(NO_DEMO_USER.to_owned()),
            };
            checked.map_err(|why| WorldError::Setting(format!("--demo-user: {why}")))?;
        }
        let loaded = match &config.agents {
            Agents::BuiltIn => fixtures::documented(),
            Agents::Texts(texts) => fixtures::load_texts(texts, config.strict),
            Agents::Paths(paths) => fixtures::load_paths(paths, config.strict),
        };
        let fixtures::Loaded { mut agents, warnings } = loaded?;
        let mut main = 0;
        if config.agents == Agents::BuiltIn {
            for agent in &mut agents {
                agent.public_keys.clone_from(&agent.keys);
            }
            main = agents.len();
            agents.push(Agent {
                name: DEMO.to_owned(),
                keys: vec![DEMO_KEY.to_owned()],
                public_keys: vec![DEMO_KEY.to_owned()],
                deleted: false,
                store: index_records(config.generator()),
            });
            agents.push(Agent {
                name: "deleted".to_owned(),
                keys: vec![DELETED_KEY.to_owned()],
                public_keys: vec![DELETED_KEY.to_owned()],
                deleted: true,
                store: index_records(LoadedRecords::empty()),
            });
        }
        Self::of(agents, warnings, main, &config.api_keys)
    }

    /// Agents, of which `main` gets further keys.
    fn of(
        agents: Vec<Agent>,
        warnings: Diagnostics,
        main: usize,
        api_keys: &[String],
    ) -> Result<Self, WorldError> {
        let mut world = Self { agents, warnings, main, memory: None };
        for key in api_keys {
            world.add_key(key)?;
        }
        Ok(world)
    }

    /// The agents of a fixture. The first one gets further keys.
    pub(crate) fn of_fixture(agents: Vec<Agent>, api_keys: &[String]) -> Result<Self, WorldError> {
        Self::of(agents, Diagnostics::default(), 0, api_keys)
    }

    /// The same agents, with other generated records. The reservation covers the memory that generating them
    /// takes, and then shrinks to the size of the records.
    pub(crate) fn with_generated(&self, generator: Generator, mut memory: Reservation) -> Self {
        let mut agents = self.agents.clone();
        if let Some(agent) = agents.get_mut(self.main) {
            agent.store = index_records_whole(generator);
            memory.shrink_to(agent.store.bytes());
        }
        Self { agents, warnings: Diagnostics::default(), main: self.main, memory: Some(memory) }
    }

    /// The same agents with the memory that was reserved for them.
    pub(crate) fn reserved(self, memory: Reservation) -> Self {
        Self { memory: Some(memory), ..self }
    }

    /// How many bytes are reserved for its records.
    pub(crate) fn reserved_bytes(&self) -> usize {
        self.memory.as_ref().map_or(0, Reservation::bytes)
    }

    /// The agent that further keys belong to: the one that has the generated records, or the
    /// first of the fixtures.
    pub(crate) fn main_agent(&self) -> Option<&Agent> {
        self.agents.get(self.main)
    }

    /// The agent whose key is given to a client that has none: the main one, or the first one that is
    /// not deleted.
    pub(crate) fn agent_to_ask(&self) -> Option<&Agent> {
        let main = self.main_agent();
        let mut all = main.into_iter().chain(&self.agents);
        all.find(|agent| !agent.deleted && !agent.keys.is_empty()).or(main)
    }

    fn add_key(&mut self, key: &str) -> Result<(), WorldError> {
        check_key(key).map_err(WorldError::Key)?;
        let holder = self.agents.iter().position(|agent| agent.keys.iter().any(|k| k == key));
        match holder {
            None => {
                if let Some(agent) = self.agents.get_mut(self.main) {
                    agent.keys.push(key.to_owned());
                }
                Ok(())
            }
            Some(holder) if holder == self.main => Ok(()),
            Some(holder) => {
                let name = self.agents[holder].name.escape_debug();
                Err(WorldError::Key(format!("the API key already belongs to agent `{name}`")))
            }
        }
    }
}
