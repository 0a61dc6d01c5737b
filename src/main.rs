//! The command line: hands the arguments, stdout and the clock to [`gptbots_mock::cli`].

use std::process::ExitCode;
use std::time::SystemTime;

fn main() -> ExitCode {
    gptbots_mock::cli::run(std::env::args_os(), &mut std::io::stdout(), SystemTime::now)
}
