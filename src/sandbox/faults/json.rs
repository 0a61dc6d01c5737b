//! A fault in a JSON document: the line as a string, or an object with the same keys.

use super::{Draft, Fault, KEYS};
use crate::document::{Fatal, Reader};

/// The key that names the operations.
const OPERATION: &str = "operation";

/// Reads a fault; `None` where it is not right, which is told.
pub(crate) fn read_fault(reader: &mut Reader<'_, '_>) -> Result<Option<Fault>, Fatal> {
    reader.peek()?;
    let begins = reader.here();
    if reader.is_string()? {
        let Some(line) = reader.string()? else { return Ok(None) };
        return Ok(match line.value.parse() {
            Ok(fault) => Some(fault),
            Err(error) => {
                let error: super::FaultError = error;
                reader.problems.add(line.span, error.to_string());
                None
            }
        });
    }
    let mut known = vec![OPERATION];
    known.extend(KEYS.iter().map(|(key, ..)| *key));
    let Some(mut keys) = reader.object_or("a fault, a string or an object")? else {
        return Ok(None);
    };
    let before = reader.problems.count();
    let mut draft = Draft::new();
    while let Some(key) = reader.key(&mut keys, &known)? {
        if key.value == OPERATION && !reader.is_string()? {
            let (before, mut none) = (reader.problems.count(), true);
            reader.array("the operations", |reader| {
                none = false;
                if let Some(word) = reader.string()?
                    && let Err(why) = draft.operation(&word.value)
                {
                    reader.problems.add(word.span, why);
                }
                Ok(())
            })?;
            if none && reader.problems.count() == before {
                let why = "the list names no operation; leave it out for all";
                reader.problems.add(key.span, why);
            }
            continue;
        }
        let value = if reader.is_string()? {
            reader.string()?
        } else {
            reader.digits("a string or a number")?
        };
        let Some(value) = value else { continue };
        let set = match key.value {
            OPERATION => draft.operation(&value.value),
            key => draft.set(key, &value.value),
        };
        if let Err(why) = set {
            reader.problems.add(value.span, why);
        }
    }
    if reader.problems.count() > before {
        return Ok(None);
    }
    match draft.finish() {
        Ok(fault) => Ok(Some(fault)),
        Err(why) => {
            reader.problems.add(begins..begins + 1, why);
            Ok(None)
        }
    }
}
