//! The body of a request, as long as it is not too large. What is not read here, the connection
//! reads or gives up.

use std::future::poll_fn;
use std::pin::Pin;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};

use super::Failure;

/// The bytes of a body of at most `most`.
pub(super) async fn read(
    headers: &HeaderMap,
    mut body: Body,
    most: usize,
) -> Result<Vec<u8>, Failure> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced: usize = announced.and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut bytes = Vec::new();
    let too_large = || {
        let message = format!("the body has more than {most} bytes");
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if announced > most {
        return Err(too_large());
    }
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let cut = |_| Failure::new(StatusCode::BAD_REQUEST, "the body ends too early");
        let Ok(data) = frame.map_err(cut)?.into_data() else { continue };
        if bytes.len() + data.len() > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}
