//! What keys change.

use super::*;

#[test]
fn the_column_that_the_rows_are_sorted_by_is_always_there() {
    let mut view = view();
    keys::press(KeyCode::Char('w').into(), &mut view);
    let lines = lines(&model(), &mut view, 50, 24);
    assert_eq!(words(&lines, "CONSUMER"), ["CONSUMER", "STATE", "LAG", "RATE", "MISSED", "WAIT↓"]);
}

#[test]
fn rows_that_do_not_fit_can_be_scrolled_to_and_no_further() {
    let mut model = Model::new(facts());
    let many = (0..40).map(|at| required(&format!("keeper-{at:02}"), 0, at)).collect();
    model.look(Look::Same(Sample { report: Some(report(0, waits(0, 0), many)), ..sample(0, 0) }));
    let mut view = view();
    let first = lines(&model, &mut view, 80, 24);
    let shown = first.iter().filter(|line| line.starts_with("keeper-")).count();
    assert!(first.contains(&format!("rows 1-{shown} of 40")), "{}", first.join("\n"));
    keys::press(KeyCode::End.into(), &mut view);
    let last = lines(&model, &mut view, 80, 24);
    assert!(last.iter().any(|line| line.starts_with("keeper-39")), "{}", last.join("\n"));
    assert!(last.contains(&format!("rows {}-40 of 40", 41 - shown)), "{}", last.join("\n"));
    assert_eq!(view.scrolled.consumers, 40 - shown);
    keys::press(KeyCode::Up.into(), &mut view);
    assert!(!lines(&model, &mut view, 80, 24).iter().any(|line| line.starts_with("keeper-39")));
}

#[test]
fn the_order_is_the_one_that_was_chosen() {
    let mut view = view();
    let mut order = |key: char| {
        keys::press(KeyCode::Char(key).into(), &mut view);
        let lines = lines(&model(), &mut view, 80, 24);
        let head = lines.iter().position(|line| line.starts_with("CONSUMER")).unwrap();
        let first = |line: &String| line.split_whitespace().next().unwrap().to_owned();
        let marked = lines[head].split_whitespace().find(|word| word.contains(['↓', '↑'])).map(str::to_owned);
        (
            lines[head + 1..head + 5].iter().map(first).collect::<Vec<_>>().join(" "),
            marked.unwrap_or_default(),
        )
    };
    let [lag, back, name, missed] = ['l', 'R', 'n', 'm'].map(&mut order);
    assert_eq!(lag, ("monitor journal positions audit".to_owned(), "LAG↓".to_owned()));
    assert_eq!(back, ("audit positions journal monitor".to_owned(), "LAG↑".to_owned()));
    assert_eq!(name, ("audit journal monitor positions".to_owned(), "CONSUMER↑".to_owned()));
    assert_eq!(missed, ("monitor journal positions audit".to_owned(), "MISSED↓".to_owned()));
    assert_eq!(order('o'), ("journal positions monitor audit".to_owned(), String::new()));
}

#[test]
fn without_colours_there_are_none_and_only_headings_are_reversed() {
    let buffer = drawn(&model(), &mut view(), 80, 24);
    assert!(buffer.content.iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
    let is_reversed =
        |row: &[ratatui::buffer::Cell]| row.iter().all(|cell| cell.modifier.contains(Modifier::REVERSED));
    let reversed: Vec<usize> =
        buffer.content.chunks(80).enumerate().filter(|(_, row)| is_reversed(row)).map(|(at, _)| at).collect();
    let lines = text::lines_of(&buffer);
    let consumers = lines.iter().position(|line| line.starts_with("CONSUMER")).unwrap();
    let kinds = lines.iter().position(|line| line.starts_with("KIND")).unwrap();
    assert_eq!(reversed, [0, consumers, kinds]);
    let mut colored = View { is_colored: true, ..view() };
    let buffer = drawn(&model(), &mut colored, 80, 24);
    assert!(buffer.content.iter().any(|cell| cell.fg == Color::Red), "95 % behind is alarming");
}

#[test]
fn the_help_has_every_key_and_goes_away() {
    let mut view = view();
    keys::press(KeyCode::Char('?').into(), &mut view);
    let help = lines(&model(), &mut view, 80, 24).join("\n");
    assert!(keys::HELP.iter().all(|(key, what)| help.contains(key) && help.contains(what)), "{help}");
    keys::press(KeyCode::Char('x').into(), &mut view);
    assert!(!lines(&model(), &mut view, 80, 24).join("\n").contains("Ctrl-C"));
}

#[test]
fn a_pause_is_in_the_title() {
    let mut view = view();
    keys::press(KeyCode::Char('p').into(), &mut view);
    assert!(lines(&model(), &mut view, 40, 10)[0].contains("PAUSED"));
}
