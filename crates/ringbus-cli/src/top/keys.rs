//! Keys.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::view::{Sort, Table, View};

/// The intervals between looks that `+` and `-` step through, milliseconds.
const INTERVALS: [u64; 8] = [50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000];

/// How many rows a page is.
const PAGE: usize = 10;

/// The keys, for the help on the screen.
pub(crate) const HELP: [(&str, &str); 13] = [
    ("q Esc Ctrl-C", "ends"),
    ("p Space", "pauses, and goes on"),
    ("+ -", "looks less often, more often"),
    ("o", "consumers as the core has them"),
    ("n", "consumers by name"),
    ("l", "by lag"),
    ("r", "by rate"),
    ("m", "by missed"),
    ("w", "by the time the producer waited for them"),
    ("R, or the same", "the other way round"),
    ("Tab", "moves the other table: consumers, kinds"),
    ("↑↓ j k", "up, down; PgUp PgDn Home End g G: further"),
    ("? h", "this; any key goes back"),
];

/// What a key asks for that is not a matter of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// To end.
    Quit,
    /// To stop until the shell says otherwise.
    Suspend,
}

/// What a key does.
pub(crate) fn press(key: KeyEvent, view: &mut View) -> Option<Command> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Some(Command::Quit),
            KeyCode::Char('z') => Some(Command::Suspend),
            _ => None,
        };
    }
    if view.shows_help {
        view.shows_help = false;
        return None;
    }
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => return Some(Command::Quit),
        KeyCode::Char('p' | ' ') => view.is_paused = !view.is_paused,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => view.shows_help = true,
        KeyCode::Char('+' | '=') => view.interval = longer(view.interval),
        KeyCode::Char('-') => view.interval = shorter(view.interval),
        KeyCode::Char('o') => view.sort_by(Sort::Joined),
        KeyCode::Char('n') => view.sort_by(Sort::Name),
        KeyCode::Char('l') => view.sort_by(Sort::Lag),
        KeyCode::Char('r') => view.sort_by(Sort::Rate),
        KeyCode::Char('m') => view.sort_by(Sort::Missed),
        KeyCode::Char('w') => view.sort_by(Sort::Waited),
        KeyCode::Char('R') => view.is_reversed = !view.is_reversed,
        KeyCode::Tab | KeyCode::BackTab => {
            view.moving = match view.moving {
                Table::Consumers => Table::Kinds,
                Table::Kinds => Table::Consumers,
            };
        }
        // (Drawing takes back what is more than there is.)
        KeyCode::Up | KeyCode::Char('k') => *view.scroll() = view.scroll().saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => *view.scroll() = view.scroll().saturating_add(1),
        KeyCode::PageUp => *view.scroll() = view.scroll().saturating_sub(PAGE),
        KeyCode::PageDown => *view.scroll() = view.scroll().saturating_add(PAGE),
        KeyCode::Home | KeyCode::Char('g') => *view.scroll() = 0,
        KeyCode::End | KeyCode::Char('G') => *view.scroll() = usize::MAX,
        _ => {}
    }
    None
}

fn longer(interval: Duration) -> Duration {
    let next = INTERVALS.into_iter().map(Duration::from_millis).find(|step| *step > interval);
    next.unwrap_or(interval)
}

fn shorter(interval: Duration) -> Duration {
    let next = INTERVALS.into_iter().rev().map(Duration::from_millis).find(|step| *step < interval);
    next.unwrap_or(interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> View {
        View::new(Duration::from_millis(500), false)
    }

    fn type_keys(view: &mut View, keys: &str) -> Vec<Command> {
        keys.chars().filter_map(|key| press(KeyCode::Char(key).into(), view)).collect()
    }

    #[test]
    fn the_usual_keys_end_it() {
        for key in [
            KeyCode::Char('q').into(),
            KeyCode::Esc.into(),
            KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
        ] {
            assert_eq!(press(key, &mut view()), Some(Command::Quit));
        }
        assert_eq!(
            press(KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL), &mut view()),
            Some(Command::Suspend)
        );
    }

    #[test]
    fn a_key_that_is_let_go_does_nothing() {
        let key = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);
        assert_eq!(press(key, &mut view()), None);
    }

    #[test]
    fn any_key_but_control_c_closes_the_help() {
        let mut view = view();
        assert_eq!(type_keys(&mut view, "?q"), []);
        assert!(!view.shows_help);
        assert_eq!(type_keys(&mut view, "h"), []);
        assert!(view.shows_help);
        let control_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(press(control_c, &mut view), Some(Command::Quit));
    }

    #[test]
    fn the_same_column_again_turns_the_order_round() {
        let mut view = view();
        type_keys(&mut view, "l");
        assert_eq!((view.sort, view.is_reversed), (Sort::Lag, false));
        type_keys(&mut view, "l");
        assert_eq!((view.sort, view.is_reversed), (Sort::Lag, true));
        type_keys(&mut view, "m");
        assert_eq!((view.sort, view.is_reversed), (Sort::Missed, false));
        type_keys(&mut view, "R");
        assert_eq!((view.sort, view.is_reversed), (Sort::Missed, true));
    }

    #[test]
    fn intervals_go_in_steps_and_stay_within_bounds() {
        let mut view = view();
        type_keys(&mut view, "+");
        assert_eq!(view.interval, Duration::from_millis(1_000));
        type_keys(&mut view, &"+".repeat(20));
        assert_eq!(view.interval, Duration::from_secs(10));
        type_keys(&mut view, &"-".repeat(20));
        assert_eq!(view.interval, Duration::from_millis(50));
        view.interval = Duration::from_millis(300);
        type_keys(&mut view, "-");
        assert_eq!(view.interval, Duration::from_millis(250));
    }

    #[test]
    fn the_arrows_move_the_table_that_was_chosen() {
        let mut view = view();
        type_keys(&mut view, "jjjk");
        press(KeyCode::Tab.into(), &mut view);
        press(KeyCode::PageDown.into(), &mut view);
        assert_eq!((view.scrolled.consumers, view.scrolled.kinds), (2, PAGE));
        type_keys(&mut view, "g");
        assert_eq!((view.scrolled.consumers, view.scrolled.kinds), (2, 0));
    }

    #[test]
    fn a_pause_ends_as_it_began() {
        let mut view = view();
        type_keys(&mut view, "p");
        assert!(view.is_paused);
        type_keys(&mut view, " ");
        assert!(!view.is_paused);
    }
}
