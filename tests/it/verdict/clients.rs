//! Popular HTTP clients, if they are installed: none gets a finding for an unread response, however it
//! closes its connections.

use std::process::{Command, Stdio};

use gptbots_mock::Server;

use crate::verdict::suite::{KEY, clean, queries, server, target};

/// Runs a program that fetches pages; `false` if it is not installed.
fn runs(server: &Server, program: &str, args: &[&str]) -> bool {
    let urls = (1..=3).map(|page| format!("{}{}", server.url(), target(&queries()[0], page)));
    let refused = format!("{}{}", server.url(), target(&queries()[1], 0));
    // A 404 that is no finding.
    let missing = format!("{}/favicon.ico", server.url());
    let mut command = Command::new(program);
    command.args(args).args(urls).args([refused, missing]).env("KEY", format!("Bearer {KEY}"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let Ok(output) = command.output() else { return false };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

#[test]
fn curl_gets_no_unread_answer_finding() {
    let server = server();
    let header = format!("Authorization: Bearer {KEY}");
    if runs(&server, "curl", &["-sS", "-H", &header]) {
        assert_eq!(server.verdict().requests(), 5);
        clean(&server);
    }
}

#[test]
fn curl_with_a_connection_per_request_gets_no_unread_answer_finding() {
    let server = server();
    let header = format!("Authorization: Bearer {KEY}");
    if runs(&server, "curl", &["-sS", "-H", &header, "-H", "Connection: close"]) {
        clean(&server);
    }
}

#[test]
fn python_http_client_gets_no_unread_answer_finding() {
    const PROGRAM: &str = r"
import http.client, os, sys, urllib.parse
for urls in ([url] for url in sys.argv[1:3]), [sys.argv[3:]]:
    for some in urls:
        url = urllib.parse.urlsplit(some[0])
        connection = http.client.HTTPConnection(url.netloc)
        for one in some:
            url = urllib.parse.urlsplit(one)
            connection.request('GET', f'{url.path}?{url.query}',
                               headers={'Authorization': os.environ['KEY']})
            connection.getresponse().read()
        connection.close()
";
    let server = server();
    if runs(&server, "python3", &["-c", PROGRAM]) {
        clean(&server);
    }
}

/// It raises an exception at an error status, and the program never reads the body.
#[test]
fn python_urllib_gets_no_unread_answer_finding() {
    const PROGRAM: &str = r"
import os, sys, urllib.error, urllib.request
for url in sys.argv[1:]:
    request = urllib.request.Request(url, headers={'Authorization': os.environ['KEY']})
    try:
        urllib.request.urlopen(request).read()
    except urllib.error.HTTPError:
        pass
";
    let server = server();
    if runs(&server, "python3", &["-c", PROGRAM]) {
        clean(&server);
    }
}

/// The program never reads the body of a response with an error status.
#[test]
fn node_fetch_gets_no_unread_answer_finding() {
    const PROGRAM: &str = r"
const walk = async () => {
  for (const url of process.argv.slice(1)) {
    const answer = await fetch(url, { headers: { authorization: process.env.KEY } });
    if (answer.ok) await answer.json();
  }
};
walk();
";
    let server = server();
    if runs(&server, "node", &["-e", PROGRAM]) {
        clean(&server);
    }
}

#[test]
fn ureq_gets_no_unread_answer_finding() {
    let server = server();
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    for number in 0..=3 {
        let url = format!("{}{}", server.url(), target(&queries()[0], number));
        let mut answer = agent.get(url).header("Authorization", format!("Bearer {KEY}")).call();
        if number > 0 {
            answer.as_mut().unwrap().body_mut().read_to_string().unwrap();
        }
    }
    drop(agent);
    clean(&server);
}
