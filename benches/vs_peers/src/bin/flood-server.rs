//! The flooding server as a program, for comparing clients.

#[path = "../../../support/flood.rs"]
mod flood;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    flood::serve(&args)
}
