//! Fixtures built in code: they mean what the same file means, and their mistakes are values.

use std::time::Duration;

use gptbots_mock::contract::{ConversationType, Feedback};
use gptbots_mock::{Conversation, DocumentError, Fixture, FixtureAgent, Server, StartError};
use serde_json::Value;

use crate::client::{ALWAYS, get};

#[track_caller]
fn start(fixture: impl Into<Fixture>) -> Server {
    Server::builder().fixture(fixture).start().unwrap_or_else(|e| panic!("{e}"))
}

#[track_caller]
fn list(server: &Server, key: &str) -> Vec<Value> {
    let path = "/v1/bot/conversation/page?conversation_type=ALL";
    get(server, key, &format!("{path}&{ALWAYS}&page=1&page_size=100")).rows("list")
}

#[track_caller]
fn pairs(server: &Server) -> Vec<Value> {
    let path = "/v1/message/qa/record/page?user_feedback=ALL";
    get(server, server.api_key(), &format!("{path}&{ALWAYS}&page=1&page_size=100")).rows("qa")
}

/// The messages of conversation `c`.
#[track_caller]
fn messages(server: &Server) -> Vec<Value> {
    let path = "/v1/messages?conversation_id=c&page=1&page_size=100";
    get(server, server.api_key(), path).rows("messages")
}

#[track_caller]
fn times(conversation: Conversation) -> Vec<i64> {
    let messages = messages(&start(conversation.id("c")));
    messages.iter().map(|message| message["create_time"].as_i64().unwrap()).collect()
}

/// The mistakes of a fixture.
#[track_caller]
fn wrong(fixture: impl Into<Fixture>) -> DocumentError {
    match Server::builder().fixture(fixture).start() {
        Err(StartError::Fixture(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_conversation_alone_is_a_fixture_of_agent_mine() {
    let server = start(Conversation::new().user("anna").asks("Hi").answers("Hello"));
    assert_eq!(server.api_key(), "app-mine");
    assert_eq!(list(&server, "app-mine")[0]["user_id"], "anna");
}

#[test]
fn everything_that_is_set_is_answered() {
    let talk = Conversation::new()
        .id("c")
        .user("anna")
        .channel(ConversationType::WhatsappMeta)
        .subject("about it")
        .cost(0.125)
        .starts(5000)
        .asks("Hi")
        .answers("Hello");
    let row = &list(&start(talk), "app-mine")[0];
    assert_eq!(row["conversation_id"], "c");
    assert_eq!(row["user_id"], "anna");
    assert_eq!(row["conversation_type"], "WHATSAPP_META");
    assert_eq!(row["subject"], "about it");
    assert_eq!(row["cost_credit"], 0.125);
    assert_eq!(row["recent_chat_time"], 8000);
    assert_eq!(row["message_count"], 2);
}

#[test]
fn nothing_has_to_be_set() {
    let server = start(Conversation::new());
    let row = &list(&server, "app-mine")[0];
    assert_eq!((&row["user_id"], &row["message_count"]), (&"user-1".into(), &0.into()));
    assert_eq!(row["conversation_type"], "API");
}

#[test]
fn a_rating_is_that_of_the_last_answer() {
    let talk = Conversation::new()
        .asks("1")
        .answers("1")
        .rated(Feedback::Good)
        .asks("2")
        .answers("2")
        .asks("3")
        .answers("3")
        .rated(Feedback::Bad);
    let rated: Vec<_> =
        pairs(&start(talk)).iter().map(|pair| pair["user_feedback"].clone()).collect();
    assert_eq!(rated, ["GOOD", "NONE", "BAD"]);
}

#[test]
fn a_rating_may_be_taken_back() {
    let talk =
        Conversation::new().asks("1").answers("1").rated(Feedback::Bad).rated(Feedback::None);
    assert_eq!(pairs(&start(talk))[0]["user_feedback"], "NONE");
}

#[test]
fn without_a_message_there_is_nothing_to_rate_and_no_time_to_set() {
    for talk in [Conversation::new().rated(Feedback::Good), Conversation::new().at(7)] {
        let error = Server::builder().fixture(talk.asks("1")).start().unwrap_err();
        assert!(error.to_string().contains("rated() or at() before any message"), "{error}");
    }
}

#[test]
fn a_message_may_have_a_time_of_its_own() {
    let talk = Conversation::new().asks("1").at(1000).answers("1").asks("2").at(9000).answers("2");
    assert_eq!(times(talk), [1000, 4000, 9000, 12_000]);
}

#[test]
fn a_gap_comes_before_every_question() {
    let talk = Conversation::new().gap(Duration::from_millis(1500)).starts(0);
    assert_eq!(times(talk.asks("1").asks("2").answers("2").asks("3")), [0, 1500, 4500, 6000]);
}

#[test]
fn the_first_answer_is_a_welcome() {
    let server = start(Conversation::new().answers("Welcome!").asks("Hi"));
    assert_eq!(list(&server, "app-mine")[0]["subject"], "Hi");
    assert_eq!(pairs(&server).len(), 0);
}

#[test]
fn any_text_survives() {
    let hard = crate::fixture::HARD_TEXT;
    let talk = Conversation::new().id("c").user(hard).subject(hard).asks(hard).answers(hard);
    let server = start(talk);
    let (row, said) = (&list(&server, "app-mine")[0], messages(&server));
    assert_eq!((&row["user_id"], &row["subject"]), (&hard.into(), &hard.into()));
    assert_eq!((&said[0]["text"], &said[1]["text"]), (&hard.into(), &hard.into()));
}

#[test]
fn agents_have_their_own_keys_and_conversations() {
    let talk = |user: &str| Conversation::new().user(user);
    let fixture = Fixture::new()
        .agent(FixtureAgent::new("one").conversation(talk("a")))
        .agent(FixtureAgent::new("two").key("k1").key("k2"))
        .conversation(talk("b"))
        .agent(FixtureAgent::new("three").conversation(talk("c")).conversation(talk("d")));
    let server = start(fixture);
    let users =
        |key: &str| list(&server, key).iter().map(|row| row["user_id"].clone()).collect::<Vec<_>>();
    assert_eq!(users("app-one"), ["a"]);
    assert_eq!((users("k1"), users("k2")), (vec!["b".into()], vec!["b".into()]));
    assert_eq!(users("app-three"), ["d", "c"]);
    assert_eq!(server.api_key(), "app-one");
    let path =
        format!("/v1/bot/conversation/page?conversation_type=ALL&{ALWAYS}&page=1&page_size=10");
    assert_eq!(get(&server, "app-two", &path).status, 401, "its given keys are its only ones");
}

#[test]
fn the_key_of_the_server_is_of_the_first_agent_that_is_not_deleted() {
    let [gone, mine] = ["gone", "mine"].map(FixtureAgent::new);
    assert_eq!(start(Fixture::new().agent(gone.deleted()).agent(mine)).api_key(), "app-mine");
}

#[test]
fn a_deleted_agent_refuses_every_call() {
    let server = start(Fixture::new().agent(FixtureAgent::new("gone").deleted()));
    let path =
        format!("/v1/bot/conversation/page?conversation_type=ALL&{ALWAYS}&page=1&page_size=10");
    assert!(get(&server, "app-gone", &path).body.contains("deleted"));
}

#[test]
fn a_fixture_without_agents_is_refused() {
    let error = Server::builder().fixture(Fixture::new()).start().unwrap_err();
    assert!(error.to_string().contains("there is no agent"), "{error}");
}

#[test]
fn built_agents_stand_beside_those_of_a_text() {
    let text = Fixture::from(r#"{"agents": [{"name": "text"}]}"#);
    let server = start(text.agent(FixtureAgent::new("built")));
    let path =
        format!("/v1/bot/conversation/page?conversation_type=ALL&{ALWAYS}&page=1&page_size=10");
    for key in ["app-text", "app-built"] {
        get(&server, key, &path).ok();
    }
}

#[test]
fn what_is_built_is_what_its_json_says() {
    let fixture = Fixture::new()
        .conversation(Conversation::new().asks("1").answers("2").rated(Feedback::Good))
        .agent(FixtureAgent::new("two").conversation(Conversation::new().cost(0.5).starts(9)));
    let json = fixture.to_json();
    assert_eq!(Fixture::from(json.as_str()).to_json(), json);
    let (built, read) = (start(fixture), start(json.as_str()));
    for key in ["app-mine", "app-two"] {
        assert_eq!(list(&built, key), list(&read, key));
    }
    assert_eq!(pairs(&built), pairs(&read));
}

#[test]
fn a_mistake_of_a_text_is_a_value_with_its_place() {
    let error = wrong("{\"agents\": [\n  {\"nam\": 1, \"name\": \"mine\"}\n]}");
    let problem = &error.problems()[0];
    assert_eq!((problem.file.as_str(), problem.line, problem.column), ("fixture", 2, 4));
    assert_eq!(problem.message, "unknown key \"nam\"");
    assert_eq!(problem.help.as_deref(), Some("did you mean \"name\"?"));
    assert_eq!(problem.source, "  {\"nam\": 1, \"name\": \"mine\"}");
    assert_eq!((error.problems().len(), error.more()), (1, 0));
}

/// The mistake of a built conversation: its message, and the line of the JSON that it is about.
#[track_caller]
fn mistake(conversation: Conversation) -> (String, String) {
    let json = Fixture::from(conversation.clone()).to_json();
    let error = wrong(conversation);
    let [problem] = error.problems() else { panic!("{error}") };
    (problem.message.clone(), json.lines().nth(problem.line - 1).unwrap().trim().to_owned())
}

#[test]
fn a_rated_question_is_refused_at_its_rating() {
    let (message, line) = mistake(Conversation::new().asks("1").rated(Feedback::Good));
    assert_eq!((&*message, &*line), ("feedback belongs on an ANSWER", "\"feedback\": \"GOOD\""));
}

#[test]
fn a_time_that_falls_is_refused_at_the_time() {
    let (message, line) = mistake(Conversation::new().asks("1").at(5).answers("2").at(4));
    assert_eq!(message, "create_time 4 is before the message before, 5");
    assert_eq!(line, "\"create_time\": 4");
}

#[test]
fn an_empty_id_is_refused() {
    let (message, line) = mistake(Conversation::new().id(""));
    assert!(message.starts_with("conversation_id must not be empty"), "{message}");
    assert_eq!(line, "\"conversation_id\": \"\",");
    assert!(mistake(Conversation::new().user("")).0.starts_with("user_id must not be empty"));
}

#[test]
fn a_cost_that_cannot_be_is_refused() {
    assert_eq!(
        mistake(Conversation::new().cost(-1.0)).0,
        "cost_credit must be a number of credits, from 0"
    );
    for odd in [f64::NAN, f64::INFINITY] {
        assert!(mistake(Conversation::new().cost(odd)).0.contains("a number of credits"));
    }
}

#[test]
fn a_gap_of_more_than_a_year_is_refused() {
    let (message, _) = mistake(Conversation::new().gap(Duration::MAX).asks("1"));
    assert_eq!(message, "gap must be 0 to 31622400 seconds");
}

#[test]
fn the_same_id_and_the_same_name_twice_are_refused() {
    let talk = || Conversation::new().id("c");
    let error = wrong(Fixture::new().conversation(talk()).conversation(talk()));
    assert_eq!(error.problems()[0].message, "this conversation_id stands twice in the agent");
    let agent = || FixtureAgent::new("mine");
    let error = wrong(Fixture::new().agent(agent()).agent(agent()));
    assert_eq!(error.problems()[0].message, "another agent is named \"mine\"");
}

#[test]
fn an_error_of_a_fixture_is_the_source_of_the_error_of_the_start() {
    let error = Server::builder().fixture("5").start().unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), error.to_string());
    assert!(source.downcast_ref::<DocumentError>().is_some());
}

/// Rows are kept as they are written, but for those of a kind that takes too much.
#[test]
fn rows_too_large_to_be_kept_are_answered_the_same() {
    let short = || {
        let short = Conversation::new().id("c").user("u").asks("2+3=?").answers("5");
        short.asks("3+4=?").answers("7")
    };
    let long = Conversation::new().id("d").user("u").asks("x".repeat(17 << 20)).answers("no");
    let agent = |agent: FixtureAgent| agent.conversation(short());
    let kept = start(Fixture::new().agent(agent(FixtureAgent::new("a"))));
    let both = agent(FixtureAgent::new("a")).conversation(long);
    let written = start(Fixture::new().agent(both));
    let v2 = "/v2/messages?conversation_id=c&page=1&page_size=100";
    for server in [&kept, &written] {
        assert_eq!(messages(server).len(), 4);
        assert_eq!(messages(server), messages(&kept));
        let rows = get(server, server.api_key(), v2).rows("conversation_content");
        assert_eq!(rows, get(&kept, kept.api_key(), v2).rows("conversation_content"));
    }
    let of_c = |rows: Vec<Value>, key: &str| -> Vec<Value> {
        rows.into_iter().filter(|row| row[key] == "c").collect()
    };
    assert_eq!(of_c(pairs(&written), "convo_id"), pairs(&kept));
    let (all, few) = (list(&written, written.api_key()), list(&kept, kept.api_key()));
    assert_eq!(of_c(all, "conversation_id"), few);
}
