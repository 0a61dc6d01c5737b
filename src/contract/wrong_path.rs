//! Finds the endpoint that a client with a wrong path probably meant.

use super::{ENDPOINTS, Endpoint, UNSERVED_ENDPOINTS};
use crate::suggest::nearest;

/// The path of the nearest endpoint. An endpoint whose whole path is the beginning or the end of the
/// sent path, with or without its version, is nearer than one that is only similar.
pub(crate) fn nearest_path(path: &str) -> Option<&'static str> {
    let tidy = tidy(path);
    let whole = |endpoint: &&Endpoint| tidy.ends_with(endpoint.path);
    let begins = |endpoint: &&Endpoint| tidy.starts_with(endpoint.path);
    let unversioned = |endpoint: &&Endpoint| tidy.ends_with(unversioned(endpoint.path));
    let found = ENDPOINTS.iter().find(whole).or_else(|| ENDPOINTS.iter().find(begins));
    found.or_else(|| ENDPOINTS.iter().find(unversioned)).map_or_else(
        || nearest(&tidy, ENDPOINTS.iter().map(|endpoint| endpoint.path)),
        |endpoint| Some(endpoint.path),
    )
}

/// The message for a path of the vendor that the emulator does not serve. The path may have a prefix,
/// because a base URL may end with a path.
pub(crate) fn unserved(path: &str) -> Option<String> {
    let tidy = tidy(path);
    let row = UNSERVED_ENDPOINTS.iter().find(|row| tidy.ends_with(row.path))?;
    let (method, path) = (row.method, row.path);
    Some(format!("the vendor has {method} {path}; this emulator does not serve it"))
}

/// A path in lower case, without empty words.
fn tidy(path: &str) -> String {
    let words: Vec<_> = path.split('/').filter(|word| !word.is_empty()).collect();
    format!("/{}", words.join("/")).to_ascii_lowercase()
}

/// The part of a path after its first word.
fn unversioned(path: &str) -> &str {
    let second = path.match_indices('/').nth(1);
    second.map_or(path, |(at, _)| &path[at..])
}

#[cfg(test)]
mod tests {
    use super::{nearest_path, unserved};

    #[test]
    fn each_slip_in_each_path_finds_it() {
        for endpoint in crate::contract::ENDPOINTS {
            let path = endpoint.path;
            let sent = [
                format!("{path}/"),
                format!("/{path}"),
                path.replace('/', "//"),
                path.to_uppercase(),
                path[1..].to_owned(),
                format!("/api{path}"),
                format!("/v1{path}"),
                format!("{path}/xxxxxx"),
                format!("{path}s"),
                path[..path.len() - 1].to_owned(),
                path.replace('o', "0"),
                path.replace("/v", "/V"),
                path.replace('/', "%2F"),
            ];
            for sent in sent {
                assert_eq!(nearest_path(&sent), Some(path), "{sent}");
                assert!(unserved(&sent).is_none(), "{sent}");
            }
        }
        for endpoint in [0, 1, 3].map(|at| &crate::contract::ENDPOINTS[at]) {
            let path = endpoint.path;
            assert_eq!(nearest_path(&path[3..]), Some(path));
            assert_eq!(nearest_path(&path.replace("/v1", "/v3")), Some(path));
        }
        for far in ["/", "", "*", "/favicon.ico", &"/x".repeat(100)] {
            assert_eq!(nearest_path(far), None, "{far}");
        }
    }
}
