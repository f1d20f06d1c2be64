//! Tables as `ls` and `ps` have them: columns, and nothing between.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

/// Writes rows under their titles. Columns whose title begins with `>` stand to the right, as numbers do.
pub(crate) fn write_columns(out: &mut impl Write, titles: &[&str], rows: Vec<Vec<String>>) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(titles.iter().map(|title| title.trim_start_matches('>')));
    table.add_rows(rows);
    for (column, title) in table.column_iter_mut().zip(titles) {
        column.set_padding((0, 2));
        if title.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().try_for_each(|line| writeln!(out, "{}", line.trim_end()))
}
