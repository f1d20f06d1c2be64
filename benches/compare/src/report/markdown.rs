//! Tables in Markdown.

use std::fmt;

#[derive(Debug)]
pub(crate) struct Table {
    /// So many columns are for names, on the left; the others are for numbers.
    names: usize,
    head: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<C: Into<String>>(names: usize, head: impl IntoIterator<Item = C>) -> Self {
        Self { names, head: head.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// With as many cells as the head.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        assert_eq!(row.len(), self.head.len(), "a cell for each column");
        self.rows.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} |", self.head.join(" | "))?;
        let numbers = self.head.len() - self.names;
        writeln!(f, "|{}{}", " --- |".repeat(self.names), " ---: |".repeat(numbers))?;
        for row in &self.rows {
            writeln!(f, "| {} |", row.join(" | "))?;
        }
        Ok(())
    }
}
