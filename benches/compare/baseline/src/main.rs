//! baseline PORT BODYFILE
//!
//! A minimal axum server: its response to every request is the content of BODYFILE, which it reads at
//! the start. It ignores the request. Port 0 takes a free port. The first line on stdout contains the
//! port in the same format as the emulator's, so that both starts can be timed in the same way.

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
        // Without it, the kernel may delay the end of a response.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, Router::new().fallback(answer)).await?;
    Ok(())
}
