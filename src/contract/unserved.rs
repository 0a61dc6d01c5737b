//! The vendor's endpoints that the emulator does not serve, so that a request to one is not reported as a
//! misspelling.

use super::{Source, documented};

/// An endpoint of the vendor that the emulator does not serve.
#[derive(Clone, Copy, Debug)]
pub struct UnservedEndpoint {
    /// The method in the vendor's page.
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

/// Every endpoint that the vendor documents and the emulator does not serve.
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
        "returns the owner of the key",
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
        "returns the knowledge that an answer is based on",
        "Get Correlated Dataset, 2025-10-20",
    ),
    row(
        "GET",
        "/v1/bot/logtree/query",
        "returns the steps that led to an answer",
        "the vendor's Agent-Skills on GitHub, loopagent-runtime.md",
    ),
];
