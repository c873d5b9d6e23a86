//! `order-manager journal export`.

use super::{runtime, store_place};
use crate::store::Reader;
use anyhow::Context;
use order_manager_core::event::Seq;
use order_manager_core::journal;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

/// Records read at a time.
pub(super) const PAGE: u32 = 1_000;

pub(super) fn export(file: &Path, store: Option<String>) -> anyhow::Result<ExitCode> {
    let store = match store_place(store) {
        Ok(store) => store,
        Err(code) => return Ok(code),
    };
    runtime()?.block_on(async {
        let reader = Reader::open(&store).await?;
        let out = File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
        let count = write(&reader, BufWriter::new(out)).await?;
        println!("{count} records to {}; check them with: order-sim replay {}", file.display(), file.display());
        Ok(ExitCode::SUCCESS)
    })
}

async fn write(reader: &Reader, mut out: impl Write) -> anyhow::Result<u64> {
    out.write_all(journal::MAGIC)?;
    let mut next = Seq(1);
    let mut count = 0;
    loop {
        let page = reader.journal(next, PAGE).await?;
        let Some(last) = page.last() else { break };
        next = Seq(last.seq.0 + 1);
        for record in &page {
            let mut frame = Vec::new();
            journal::write_frame(&mut frame, &record.record, record.digest)?;
            out.write_all(&frame)?;
            count += 1;
        }
    }
    out.flush()?;
    Ok(count)
}
