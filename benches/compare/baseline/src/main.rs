//! baseline PORT BODYFILE
//!
//! The least that an axum server can do: it answers every request with the bytes of BODYFILE, as
//! they were read at start, and looks at nothing of the request. Port 0 takes a free one; the
//! first line on stdout says which, in the emulator's words, so both starts are timed alike.

use std::error::Error;
use std::io::Write;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::serve::ListenerExt;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, body] = arguments.as_slice() else {
        return Err("usage: baseline PORT BODYFILE".into());
    };
    let port: u16 = port.parse()?;
    let body = Bytes::from(std::fs::read(body)?);
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serve(port, body))
}

async fn serve(port: u16, body: Bytes) -> Result<(), Box<dyn Error>> {
    let answer = move || {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, "application/json")], body) }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on http://{}", listener.local_addr()?)?;
    stdout.flush()?;
    let listener = listener.tap_io(|stream| {
        // Without it the kernel may hold the end of an answer back.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().fallback(answer)).await?;
    Ok(())
}
