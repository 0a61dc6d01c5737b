//! What the vendor has and the emulator does not serve, so that a request to it is not taken for a
//! misspelling.

use super::{Source, documented};

/// An endpoint of the vendor's that the emulator does not serve.
#[derive(Clone, Copy, Debug)]
pub struct UnservedEndpoint {
    /// The method that the vendor's page has.
    pub method: &'static str,
    /// The path.
    pub path: &'static str,
    /// What it does, in a few words.
    pub about: &'static str,
    /// Where it comes from.
    pub source: Source,
}

const fn row(
    method: &'static str,
    path: &'static str,
    about: &'static str,
    from: &'static str,
) -> UnservedEndpoint {
    UnservedEndpoint { method, path, about, source: documented(from) }
}

/// Every endpoint that a page of the vendor's has and the emulator does not serve.
pub const UNSERVED_ENDPOINTS: &[UnservedEndpoint] = &[
    row("POST", "/v1/conversation", "creates a conversation", "Create Conversation, 2025-10-20"),
    row("POST", "/v2/conversation/message", "sends a message", "Send Message, 2026-03-27"),
    row(
        "POST",
        "/v1/conversation/message",
        "sends a message; deprecated",
        "Send Message, 2023-11-02 to 2024-12-22",
    ),
    row("POST", "/v1/message/feedback", "rates an answer", "Agent Response Feedback, 2025-10-20"),
    row(
        "POST",
        "/v1/message/quality",
        "says whether an answer solved the problem",
        "Agent Feedback Evaluation, 2025-10-20",
    ),
    row(
        "GET",
        "/v1/api-key/verify",
        "tells whose key it is",
        "the vendor's Agent-Skills on GitHub, call-gptbots-api.md",
    ),
    row("GET", "/v1/bot/detail", "describes the agent", "Get Agent Information, 2025-10-20"),
    row(
        "GET",
        "/v1/next/question",
        "suggests further questions",
        "Generate Suggested Questions, 2025-10-20",
    ),
    row(
        "GET",
        "/v1/correlate/dataset",
        "tells what knowledge an answer goes by",
        "Get Correlated Dataset, 2025-10-20",
    ),
    row(
        "GET",
        "/v1/bot/logtree/query",
        "shows the steps behind an answer",
        "the vendor's Agent-Skills on GitHub, loopagent-runtime.md",
    ),
];
