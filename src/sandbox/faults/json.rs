//! A fault in a JSON document: the line as a string, or an object with the same keys.

use super::{Draft, Fault, FaultError, keys};
use crate::document::{Fatal, Reader};

/// The key that names the operations.
const OPERATION: &str = "operation";

/// Reads a fault. Returns `None` if it has a mistake, which is then among the reader's problems.
pub(crate) fn read_fault(reader: &mut Reader<'_, '_>) -> Result<Option<Fault>, Fatal> {
    reader.peek()?;
    let begins = reader.here();
    if reader.is_string()? {
        let Some(line) = reader.string()? else { return Ok(None) };
        let fault: Result<Fault, FaultError> = line.value.parse();
        return Ok(fault.map_err(|error| reader.problems.add(line.span, error.to_string())).ok());
    }
    let mut known = vec![OPERATION];
    known.extend(keys());
    let Some(mut members) = reader.object_or("a fault, a string or an object")? else {
        return Ok(None);
    };
    let before = reader.problems.errors();
    let mut draft = Draft::new();
    while let Some(key) = reader.key(&mut members, &known)? {
        if key.value == OPERATION && !reader.is_string()? {
            let (before, mut is_empty) = (reader.problems.errors(), true);
            reader.array("the operations", |reader| {
                is_empty = false;
                if let Some(word) = reader.string()?
                    && let Err(why) = draft.operation(&word.value)
                {
                    reader.problems.add(word.span, why);
                }
                Ok(())
            })?;
            if is_empty && reader.problems.errors() == before {
                let why = "the list of operations is empty; for all operations, leave it out";
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
    if reader.problems.errors() > before {
        return Ok(None);
    }
    Ok(draft.finish().map_err(|why| reader.problems.add(begins..begins + 1, why)).ok())
}
