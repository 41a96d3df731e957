use super::*;
use std::sync::atomic::AtomicUsize;

/// Leads a crew of `members` whose helpers have a thread each.
fn with_crew<R>(members: usize, lead: impl FnOnce(&mut Crew) -> R) -> R {
    let mut crew = Crew::new(members);
    std::thread::scope(|scope| {
        for _ in 1..members {
            let post = crew.post();
            scope.spawn(move || post.serve());
        }
        let result = lead(&mut crew);
        drop(crew);
        result
    })
}

#[test]
fn every_item_is_worked_on_once() {
    for members in [1, 2, 3, 8] {
        with_crew(members, |crew| {
            for count in [0, 1, 2, 7, 33, 1000] {
                let mut items = vec![0usize; count];
                for _ in 0..50 {
                    crew.for_each(&mut items, |i, item| *item += i + 1);
                }
                let expected: Vec<usize> = (0..count).map(|i| 50 * (i + 1)).collect();
                assert_eq!(items, expected, "{members} members");
            }
        });
    }
}

#[test]
fn parts_are_those_of_the_bounds() {
    for members in [1, 2, 3, 8] {
        with_crew(members, |crew| {
            for bounds in [&[][..], &[5], &[0, 40], &[3, 4, 4, 20, 21, 33, 40]] {
                let mut a = vec![[0.0; 16]; 40];
                let mut b = vec![[0.0; 16]; 41];
                let halves: Vec<usize> = bounds.iter().map(|bound| bound / 2).collect();
                let arenas = [(bounds, &mut a[..]), (&halves, &mut b), (bounds, &mut [])];
                crew.for_each_part(arenas, |i, [a, b, none]| {
                    assert_eq!(a.len(), bounds[i + 1] - bounds[i]);
                    assert!(none.is_empty());
                    a.as_flattened_mut().iter_mut().for_each(|x| *x += 1.0 + i as f32);
                    b.as_flattened_mut().iter_mut().for_each(|x| *x -= 1.0 + i as f32);
                });
                let expected = |bounds: &[usize], row| {
                    let part = bounds.windows(2).position(|b| b[0] <= row && row < b[1]);
                    part.map_or(0.0, |i| 1.0 + i as f32)
                };
                for row in 0..40 {
                    assert_eq!(a[row], [expected(bounds, row); 16], "{bounds:?}, row {row}");
                    assert_eq!(b[row], [-expected(&halves, row); 16], "{bounds:?}, row {row}");
                }
            }
        });
    }
}

#[test]
#[should_panic(expected = "bounds ascend")]
fn overlapping_parts_are_refused() {
    Crew::new(2).for_each_part([(&[0, 2, 1, 3], &mut [[0.0; 16]; 3])], |_, _| ());
}

#[test]
#[should_panic(expected = "an arena of 4 rows")]
fn parts_beyond_the_end_are_refused() {
    Crew::new(2).for_each_part([(&[0, 4], &mut [[0.0; 16]; 3])], |_, _| ());
}

/// The leader alone does all of it where nobody comes, and helpers that come late find nothing amiss.
#[test]
fn helpers_may_stay_away() {
    let mut crew = Crew::new(4);
    let mut items = [0; 100];
    crew.for_each(&mut items, |_, item| *item += 1);
    assert_eq!(items, [1; 100]);
    let post = crew.post();
    drop(crew);
    post.serve();
}

#[test]
fn no_more_helpers_than_places() {
    let done = AtomicUsize::new(0);
    let mut crew = Crew::new(2);
    std::thread::scope(|scope| {
        for _ in 0..5 {
            let (post, done) = (crew.post(), &done);
            scope.spawn(move || {
                post.serve();
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        // All but the one helper leave by themselves.
        while done.load(Ordering::SeqCst) < 4 {
            crew.for_each(&mut [0; 10], |_, item| *item += 1);
        }
        drop(crew);
    });
    assert_eq!(done.into_inner(), 5);
}

/// Helpers that have gone to sleep are woken for tasks that cannot be done without them.
#[test]
fn sleepers_are_woken() {
    with_crew(2, |crew| {
        for _ in 0..20 {
            while crew.shared.sleepers.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            let here = AtomicUsize::new(0);
            crew.for_each(&mut [(), ()], |_, ()| {
                here.fetch_add(1, Ordering::SeqCst);
                // Until both tasks are under way, on two threads.
                while here.load(Ordering::SeqCst) < 2 {
                    std::hint::spin_loop();
                }
            });
        }
    });
}

#[test]
fn panics_reach_the_leader_and_the_crew_goes_on() {
    with_crew(3, |crew| {
        for culprit in 0..20 {
            let mut items = [0; 20];
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                crew.for_each(&mut items, |i, item| {
                    assert!(i != culprit, "task {i} fails");
                    *item += 1;
                });
            }));
            let panic = outcome.expect_err("the task panicked");
            let message = panic.downcast_ref::<String>().expect("a message");
            assert_eq!(*message, format!("task {culprit} fails"));
            assert_eq!(items.iter().sum::<i32>(), 19, "the others were done");
        }
    });
}

/// What a task panics with may panic when it is dropped.
#[test]
fn panics_of_panics_do_no_harm() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            assert!(std::thread::panicking(), "dropped");
        }
    }
    with_crew(3, |crew| {
        let mut items = [0; 20];
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            crew.for_each(&mut items, |_, _| std::panic::panic_any(Bomb));
        }));
        std::mem::forget(outcome.expect_err("the tasks panicked"));
        crew.for_each(&mut items, |_, item| *item += 1);
        assert_eq!(items, [1; 20]);
    });
}

#[test]
fn bounds_of_what_is_empty_may_be_anything() {
    with_crew(4, |crew| {
        let mut rows = [[0.0; 16]; 2];
        let far = [0, 1 << (usize::BITS - 4), 1 << (usize::BITS - 1)];
        crew.for_each_part([(&far, &mut []), (&[0, 1, 2], &mut rows)], |_, [_, row]| {
            row[0][0] += 1.0;
        });
        assert_eq!(rows.map(|row| row[0]), [1.0; 2]);
    });
}

#[test]
fn the_nearest_bound_is_found() {
    let bounds = [2, 4, 4, 10];
    let found: Vec<usize> = (0..=10).map(|row| nearest(&bounds, row)).collect();
    assert_eq!(found, [0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 3]);
}
