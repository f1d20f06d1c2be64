//! Puts figures into a document, where it has blocks for them:
//!
//! ```text
//! <!-- figures: NAME -->
//! whatever stands here is replaced by the file NAME.md
//! <!-- end of figures -->
//! ```

const START: (&str, &str) = ("<!-- figures: ", " -->");
const END: &str = "<!-- end of figures -->";

/// The document with each block filled by what `figures` has for its name; where that is `Ok(None)`, the block stays as it is.
pub(crate) fn fill(
    document: &str,
    mut figures: impl FnMut(&str) -> Result<Option<String>, String>,
) -> Result<String, String> {
    let mut filled = String::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        filled += line;
        filled.push('\n');
        if line.trim() == END {
            return Err(format!("{END:?} ends no block: a block starts with {:?}", START.0));
        }
        let Some(name) = line.trim().strip_prefix(START.0).and_then(|rest| rest.strip_suffix(START.1)) else {
            continue;
        };
        let old = block(name, &mut lines)?;
        match figures(name)? {
            Some(new) => filled += &format!("\n{}\n\n{END}\n", new.trim()),
            None => filled += &format!("{old}{END}\n"),
        }
    }
    Ok(filled)
}

/// What stands in the block of this name, whose first line has been taken; takes all of it.
fn block<'a>(name: &str, lines: &mut impl Iterator<Item = &'a str>) -> Result<String, String> {
    let mut content = String::new();
    for line in lines {
        if line.trim() == END {
            return Ok(content);
        }
        if line.trim().starts_with(START.0) {
            break;
        }
        content += line;
        content.push('\n');
    }
    Err(format!("the block {name:?} is not closed: write {END:?} on a line of its own after it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "# Title\n\n<!-- figures: one -->\nold\n<!-- end of figures -->\nprose\n\
                            <!-- figures: two -->\n<!-- end of figures -->\nend\n";

    fn of(name: &str) -> Result<Option<String>, String> {
        Ok(Some(format!("\n| {name} |\n\n")))
    }

    #[test]
    fn each_block_gets_its_own_figures_and_the_rest_stays() {
        let filled = fill(DOCUMENT, of).expect("well-formed");
        let expected = "# Title\n\n<!-- figures: one -->\n\n| one |\n\n<!-- end of figures -->\nprose\n\
                        <!-- figures: two -->\n\n| two |\n\n<!-- end of figures -->\nend\n";
        assert_eq!(filled, expected);
    }

    #[test]
    fn filling_again_changes_nothing() {
        let once = fill(DOCUMENT, of).expect("well-formed");
        assert_eq!(fill(&once, of).expect("well-formed"), once);
    }

    #[test]
    fn a_block_without_figures_stays_as_it_is_where_that_is_allowed() {
        assert_eq!(fill(DOCUMENT, |_| Ok(None)).expect("well-formed"), DOCUMENT);
    }

    #[test]
    fn what_is_wrong_with_the_figures_is_passed_on() {
        let error = fill(DOCUMENT, |name| Err(format!("no {name}"))).expect_err("there are no figures");
        assert_eq!(error, "no one");
    }

    #[test]
    fn a_block_that_is_not_closed_is_named() {
        let never = "<!-- figures: one -->\nold\n";
        let before_the_next = "<!-- figures: one -->\nold\n<!-- figures: two -->\n<!-- end of figures -->\n";
        for document in [never, before_the_next] {
            let error = fill(document, of).expect_err("not closed");
            assert!(error.starts_with("the block \"one\" is not closed"), "{error}");
        }
    }

    #[test]
    fn an_end_without_a_start_is_an_error() {
        let error = fill("<!-- end of figures -->\n", of).expect_err("no start");
        assert!(error.contains("ends no block"), "{error}");
    }
}
