//! The response of each fault, its headers, and its order among the other checks. Bodies are
//! literals.

use gptbots_mock::Server;
use gptbots_mock::contract::{ErrorStatus, Wording};

use crate::support::client::{Answer, get, request};
use crate::support::control::control;
use crate::support::faults::{
    KEY, LIST, MESSAGES, MESSAGES_V2, QA, TARGETS, asking, asks, builder, drain, exchange, server,
    take_apart,
};
use crate::support::wire::Wire;

/// Each row: `name: fault target => status body`.
macro_rules! codes {
    ($($name:ident: $fault:literal $target:ident => $status:literal $body:literal;)*) => {$(
        #[test]
        fn $name() {
            let answer = get(&server(&[$fault]), KEY, $target);
            assert_eq!((answer.status, &*answer.body), ($status, $body));
            assert_eq!(answer.header("content-type"), Some("application/json"));
            let id = answer.header("x-mock-fault").unwrap();
            let reason = answer.header("x-mock-reason").unwrap();
            assert_eq!(reason, format!("injected by fault {id}"));
        }
    )*};
}

codes! {
    list_40000: "code=40000" LIST => 400 r#"{"code":40000,"message":"Invalid parameter"}"#;
    list_40127: "code=40127" LIST => 401 r#"{"code":40127,"message":"Authentication failed."}"#;
    list_20059: "code=20059" LIST => 400 r#"{"code":20059,"message":"Agent deleted"}"#;
    list_50000: "code=50000" LIST => 500 r#"{"code":50000,"message":"Internal system error"}"#;

    messages_40000: "code=40000" MESSAGES =>
        400 r#"{"code":40000,"message":"Invalid parameter."}"#;
    messages_40005: "code=40005" MESSAGES =>
        400 r#"{"code":40005,"message":"Page number exceeds total."}"#;
    messages_40127: "code=40127" MESSAGES =>
        401 r#"{"code":40127,"message":"Authentication failed."}"#;
    messages_40356: "code=40356" MESSAGES =>
        400 r#"{"code":40356,"message":"Conversation does not exist."}"#;
    messages_20059: "code=20059" MESSAGES => 400 r#"{"code":20059,"message":"Agent deleted"}"#;
    messages_50000: "code=50000" MESSAGES =>
        500 r#"{"code":50000,"message":"Internal system error"}"#;

    v2_messages_40000: "code=40000" MESSAGES_V2 =>
        400 r#"{"code":40000,"message":"Invalid parameters"}"#;
    v2_messages_40005: "code=40005" MESSAGES_V2 =>
        400 r#"{"code":40005,"message":"Pagination parameter exceeds actual count"}"#;
    v2_messages_40127: "code=40127" MESSAGES_V2 =>
        401 r#"{"code":40127,"message":"Developer authentication failed"}"#;
    v2_messages_40356: "code=40356" MESSAGES_V2 =>
        400 r#"{"code":40356,"message":"Conversation does not exist"}"#;
    v2_messages_20059: "code=20059" MESSAGES_V2 =>
        400 r#"{"code":20059,"message":"Agent has been deleted"}"#;
    v2_messages_50000: "code=50000" MESSAGES_V2 =>
        500 r#"{"code":50000,"message":"Internal system error"}"#;

    qa_40000: "code=40000" QA => 400 r#"{"code":40000,"message":"Invalid parameter"}"#;
    qa_40127: "code=40127" QA => 401 r#"{"code":40127,"message":"Authentication failed."}"#;
    qa_20059: "code=20059" QA => 400 r#"{"code":20059,"message":"Agent deleted"}"#;
    qa_50000: "code=50000" QA => 500 r#"{"code":50000,"message":"Internal system error"}"#;
}

#[test]
fn every_endpoint_answers_40008_with_retry_after() {
    let server = server(&["code=40008"]);
    for (_, target) in TARGETS {
        let answer = get(&server, KEY, target);
        let message = "Agent RPM request limit exceeded. \
                       Please contact the service provider to increase the limit.";
        answer.refused(429, 40008, message, "fault");
        assert_eq!(answer.header("retry-after"), Some("1"), "{target}");
    }
}

/// A fault with a code does not apply to an endpoint that never returns this code.
#[test]
fn code_fault_skips_endpoints_without_that_code() {
    let server = server(&["code=40356"]);
    assert_eq!(TARGETS.map(|(_, target)| get(&server, KEY, target).status), [200, 400, 400, 200]);
}

#[test]
fn readings_apply_only_to_documented_codes() {
    let faults = ["conversations:code=20059", "messages:code=50000", "qa:status=503"];
    let builder = builder(&faults).reading(ErrorStatus::Ok).reading(Wording::Bot);
    let server = builder.start().unwrap();
    let of = |target| {
        let answer = get(&server, KEY, target);
        (answer.status, answer.body)
    };
    assert_eq!(of(LIST), (200, r#"{"code":20059,"message":"Bot deleted"}"#.to_owned()));
    assert_eq!(of(MESSAGES).0, 500);
    assert_eq!(of(QA).0, 503);
}

#[test]
fn a_status_has_json_as_the_vendor_writes_it() {
    for (fault, status, body) in [
        ("status=503", 503, r#"{"code":503,"message":"Service Unavailable"}"#),
        ("status=418,body=json", 418, r#"{"code":418,"message":"I'm a teapot"}"#),
        ("status=200", 200, r#"{"code":200,"message":"OK"}"#),
        ("status=599", 599, r#"{"code":599,"message":"Unknown"}"#),
    ] {
        let answer = get(&server(&[fault]), KEY, QA);
        assert_eq!((answer.status, &*answer.body), (status, body), "{fault}");
        assert_eq!(answer.header("content-type"), Some("application/json"), "{fault}");
    }
}

#[test]
fn retry_after_of_a_fault_is_answered() {
    for (fault, seconds) in [
        ("status=503,retry_after=2", Some("2")),
        ("code=50000,retry_after=0", Some("0")),
        ("status=429,retry_after=86400", Some("86400")),
        ("code=40008,retry_after=7", Some("7")),
        ("status=503,body=html,retry_after=3", Some("3")),
        // A 429 always has the header, other statuses only if the fault sets it.
        ("status=429", Some("1")),
        ("code=40008", Some("1")),
        ("status=503", None),
        ("code=50000", None),
        ("delay=1", None),
    ] {
        let answer = get(&server(&[fault]), KEY, LIST);
        assert_eq!(answer.header("retry-after"), seconds, "{fault}: {answer:?}");
    }
}

#[test]
fn retry_after_is_set_from_the_library_and_in_json() {
    let fault = gptbots_mock::Fault::status(503).retry_after(2);
    let server = Server::builder().fault(fault).start().unwrap();
    assert_eq!(get(&server, KEY, LIST).header("retry-after"), Some("2"));
    let fault = r#"{"operation": "qa", "status": 503, "retry_after": 4}"#;
    let server = Server::start().unwrap();
    let path = "/sandboxes/default/faults";
    control(server.address(), "POST", path, fault).ok();
    assert_eq!(get(&server, KEY, QA).header("retry-after"), Some("4"));
    let too_long = gptbots_mock::Fault::status(503).retry_after(86_401);
    let why = Server::builder().fault(too_long).start().unwrap_err().to_string();
    assert!(why.contains("retry_after must be 0 to 86400, got 86401"), "{why}");
}

/// A delay does not change the original response.
#[test]
fn a_delayed_rate_limit_keeps_its_own_retry_after() {
    let server = builder(&["delay=1"]).rate_limit(1, std::time::Duration::from_secs(60));
    let server = server.start().unwrap();
    get(&server, KEY, LIST).ok();
    let answer = get(&server, KEY, LIST);
    assert_eq!(answer.status, 429);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((2..=60).contains(&seconds), "{seconds}");
}

#[test]
fn a_status_has_html_as_a_gateway_writes_it() {
    let answer = get(&server(&["status=502,body=html"]), KEY, LIST);
    assert_eq!((answer.status, answer.header("content-type")), (502, Some("text/html")));
    assert_eq!(
        answer.body,
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n\
         <center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
    );
}

#[test]
fn a_status_has_no_body_where_it_is_to_be_empty() {
    let answer = get(&server(&["status=500,body=empty"]), KEY, LIST);
    assert_eq!((answer.status, &*answer.body), (500, ""));
    assert_eq!(answer.header("content-length"), Some("0"));
}

/// HTTP forbids a body with these statuses; a client would read it as the next response.
#[test]
fn status_204_and_304_have_no_body() {
    for status in [204, 304] {
        let server = server(&[&format!("status={status},times=1")]);
        let mut connection = Wire::open(server.address());
        connection.send(asks("GET", LIST, ""));
        let bare = connection.head();
        assert_eq!((bare.status, bare.header("x-mock-fault").is_some()), (status, true));
        connection.send(asks("GET", LIST, ""));
        connection.answer().ok();
    }
}

#[test]
fn an_empty_body_is_a_200_of_no_bytes() {
    let answer = get(&server(&["body=empty"]), KEY, LIST);
    assert_eq!((answer.status, &*answer.body), (200, ""));
    assert_eq!(answer.header("content-length"), Some("0"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn garbage_has_the_true_length_and_is_no_json_or_utf_8() {
    let server = server(&["body=garbage,after=1"]);
    let true_length = get(&server, KEY, LIST).ok().body.len();
    let (head, body) = exchange(server.address(), LIST, "");
    assert_eq!((head.status, head.header("content-type")), (200, Some("application/json")));
    assert_eq!(head.header("content-length"), Some(&*true_length.to_string()));
    assert_eq!(body.len(), true_length);
    assert!(std::str::from_utf8(&body).is_err());
    assert!(serde_json::from_slice::<serde_json::Value>(&body).is_err());
}

/// Two requests get different garbage, because equal bodies could look like valid data.
#[test]
fn garbage_differs_from_request_to_request() {
    let server = server(&["body=garbage"]);
    let garbage = || exchange(server.address(), LIST, "").1;
    assert_ne!(garbage(), garbage());
}

/// The body of a refusal also becomes garbage.
#[test]
fn the_body_of_a_refusal_is_changed_too() {
    let server = server(&["body=empty"]);
    let answer = get(&server, "wrong", LIST);
    assert_eq!((answer.status, &*answer.body), (401, ""));
    assert_eq!(answer.header("x-mock-reason"), Some("unknown API key; a valid key is app-demo"));
}

#[test]
fn a_fault_without_an_id_is_numbered() {
    let server = server(&["qa:status=500", "messages:status=500"]);
    let id = |target| get(&server, KEY, target).header("x-mock-fault").unwrap().to_owned();
    assert_eq!(
        [id(MESSAGES), id(QA), id(QA)],
        ["fault-2.messages.1", "fault-1.qa.1", "fault-1.qa.2"]
    );
}

#[test]
fn a_fault_is_named_by_its_id_the_operation_and_the_number() {
    let server = server(&["messages-v2:id=Boom_1,status=500,after=2"]);
    for _ in 0..2 {
        assert_eq!(get(&server, KEY, MESSAGES_V2).ok().header("x-mock-fault"), None);
    }
    let answer = get(&server, KEY, MESSAGES_V2);
    assert_eq!(answer.header("x-mock-fault"), Some("Boom_1.messages-v2.3"));
}

#[test]
fn fault_applies_before_the_key_check() {
    let server = server(&["code=50000"]);
    for key in ["wrong", "app-deleted", ""] {
        assert_eq!(get(&server, key, LIST).status, 500, "{key}");
    }
}

#[test]
fn fault_applies_before_the_parameter_check() {
    assert_eq!(get(&server(&["status=503"]), KEY, "/v1/messages?page=x").status, 503);
}

/// A request with a fault does not count towards the rate limit.
#[test]
fn fault_applies_before_the_rate_limit() {
    let server = server(&["code=50000,times=1"]);
    let sandbox = server.sandbox("default");
    sandbox.rate_limit(1, std::time::Duration::from_secs(60));
    sandbox.freeze();
    assert_eq!([LIST; 3].map(|target| get(&server, KEY, target).status), [500, 200, 429]);
}

/// The fault does not apply to these requests and does not count them.
#[test]
fn fault_does_not_apply_to_404_and_405() {
    let server = server(&["code=50000,times=1"]);
    assert_eq!(get(&server, KEY, "/v1/message").status, 404);
    assert_eq!(request(&server, "POST", LIST, &[]).status, 405);
    assert_eq!(get(&server, KEY, LIST).header("x-mock-fault"), Some("fault-1.conversations.1"));
}

/// The response to `HEAD`, on a connection that then gets another request.
#[track_caller]
fn head(fault: &str) -> Answer {
    let server = server(&[&format!("{fault},times=1")]);
    let mut connection = Wire::open(server.address());
    connection.send(asks("HEAD", LIST, ""));
    let head = connection.head();
    connection.send(asks("GET", LIST, ""));
    connection.answer().ok();
    head
}

#[test]
fn fault_applies_to_head() {
    let answer = head("code=40127");
    assert_eq!((answer.status, answer.header("x-mock-fault").is_some()), (401, true));
    let length = r#"{"code":40127,"message":"Authentication failed."}"#.len();
    assert_eq!(answer.header("content-length"), Some(&*length.to_string()));
}

/// There is no body to truncate, so the whole head arrives.
#[test]
fn head_has_the_length_of_the_faulty_body() {
    let true_length = get(&Server::start().unwrap(), KEY, LIST).body.len();
    for fault in ["body=truncated", "body=garbage", "drip=1", "body=truncated,drip=1"] {
        let answer = head(fault);
        let length = answer.header("content-length").map(str::to_owned);
        assert_eq!(length, Some(true_length.to_string()), "{fault}");
    }
}

#[test]
fn fault_headers_are_exposed_to_browsers() {
    let server = builder(&["code=40008"]).cors().start().unwrap();
    let answer = request(&server, "GET", LIST, &[("Origin", "https://app.example")]);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for name in ["x-mock-fault", "retry-after", "preference-applied"] {
        assert!(exposed.split(',').any(|exposed| exposed == name), "{name}");
    }
}

/// A connection fault also works with the CORS layer.
#[test]
fn faults_break_connections_with_cors_on() {
    let server = builder(&["body=truncated"]).cors().start().unwrap();
    let (bytes, _) = drain(&mut asking(server.address(), ""));
    let (head, body) = take_apart(&bytes);
    let length: usize = head.header("content-length").unwrap().parse().unwrap();
    assert_eq!(body.len(), length / 2);
}
