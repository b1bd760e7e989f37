"""The menu Run: time, lessons, stories, the machine."""

from __future__ import annotations

from bellwire.engine.language import tr_later
from bellwire.engine.source import Order
from bellwire.viz.window.actions.action import Action
from bellwire.viz.window.commands import Commands

C = Commands

RUN_MENU: tuple[Action, ...] = (
    Action(
        "play",
        "Run",
        tr_later("Play or pause"),
        ("Space", "."),
        C.play_or_pause,
        tr_later("Stops the view; the capture goes on"),
    ),
    Action("step", "Run", tr_later("Step"), ("Right",), C.step, tr_later("To the next journey")),
    Action("step_back", "Run", tr_later("Step back"), ("Left",), C.step_back, tr_later("To the journey before")),
    Action(
        "page_on",
        "Run",
        tr_later("Lesson: next step"),
        ("PgDown",),
        C.page_on,
        tr_later("Without a lesson: play or pause"),
    ),
    Action(
        "page_back",
        "Run",
        tr_later("Lesson: step before"),
        ("PgUp",),
        C.page_back,
        tr_later("Without a lesson: a journey back"),
    ),
    Action("end_lesson", "Run", tr_later("Lesson: end"), (), C.end_lesson, tr_later("What runs, runs on")),
    Action(
        "quiz",
        "Run",
        tr_later("Quiz"),
        (),
        C.begin_quiz,
        tr_later("A guest in trouble: ask for evidence, name the cause"),
    ),
    Action(
        "step_event", "Run", tr_later("Step one event"), ("Shift+Right",), C.step_event, tr_later("To the next event")
    ),
    Action(
        "step_event_back",
        "Run",
        tr_later("Step one event back"),
        ("Shift+Left",),
        C.step_event_back,
        tr_later("To the event before"),
    ),
    Action(
        "home",
        "Run",
        tr_later("To the start"),
        ("Home", "F3"),
        C.to_start,
        tr_later("To the oldest journey that is held"),
    ),
    Action(
        "newest", "Run", tr_later("To the present"), ("End",), C.to_newest, tr_later("Follows the newest, in real time")
    ),
    Action(
        "from_here",
        "Run",
        tr_later("Replay from here"),
        ("Ctrl+Home",),
        C.replay_from_here,
        tr_later("Makes the moment shown the present"),
    ),
    Action("slower", "Run", tr_later("Slower"), ("[",), C.slower, tr_later("More slow motion, up to 1 : 10 000 000")),
    Action("faster", "Run", tr_later("Faster"), ("]",), C.faster, tr_later("Less slow motion, down to real time")),
    Action(
        "story",
        "Run",
        tr_later("Tell the story"),
        ("T",),
        C.toggle_story,
        tr_later("The chosen journey, else the newest, stage by stage; once more: back to the present"),
        checkable=True,
        begins=True,
    ),
    Action(
        "story_newest",
        "Run",
        tr_later("Story of the newest"),
        (),
        C.story_of_newest,
        tr_later("The newest journey, stage by stage"),
    ),
    Action(
        "story_median",
        "Run",
        tr_later("Story of the median"),
        (),
        C.story_of_median,
        tr_later("A usual journey, stage by stage"),
    ),
    Action(
        "story_slowest",
        "Run",
        tr_later("Story of the slowest"),
        (),
        C.story_of_slowest,
        tr_later("The slowest held, stage by stage"),
    ),
    Action(
        "story_play",
        "Run",
        tr_later("Story: play or pause"),
        (),
        C.play_story,
        tr_later("Space does the same while a story is told"),
    ),
    Action(
        "stage",
        "Run",
        tr_later("Story: next stage"),
        (),
        C.next_stage,
        tr_later("→ does the same while a story is told"),
    ),
    Action(
        "stage_back",
        "Run",
        tr_later("Story: stage before"),
        (),
        C.stage_before,
        tr_later("← does the same while a story is told"),
    ),
    Action(
        "again", "Run", tr_later("Story: again"), (), C.tell_again, tr_later("From its first stage; Home does the same")
    ),
    Action(
        "stages_slower",
        "Run",
        tr_later("Story: slower"),
        (),
        C.stages_slower,
        tr_later("More time a stage; [ does the same"),
    ),
    Action(
        "stages_faster",
        "Run",
        tr_later("Story: faster"),
        (),
        C.stages_faster,
        tr_later("Less time a stage; ] does the same"),
    ),
    Action(
        "ioeventfd",
        "Run",
        "ioeventfd",
        ("I",),
        C.toggle_ioeventfd,
        tr_later("On: KVM signals the eventfd itself. Off: each doorbell is an exit to user space"),
        Order.IOEVENTFD,
        True,
        True,
    ),
    Action(
        "irqfd",
        "Run",
        "irqfd",
        ("Q",),
        C.toggle_irqfd,
        tr_later("On: a write to an eventfd interrupts the guest. Off: it takes an ioctl"),
        Order.IRQFD,
        True,
    ),
    Action(
        "ring", "Run", tr_later("Ring one doorbell"), ("D",), C.ring, tr_later("The guest rings once"), Order.DOORBELL
    ),
    Action(
        "interrupt",
        "Run",
        tr_later("Send one interrupt"),
        ("R",),
        C.interrupt,
        tr_later("The host interrupts once"),
        Order.INTERRUPT,
    ),
    Action(
        "route",
        "Run",
        tr_later("Change the route"),
        (),
        C.change_route,
        tr_later("To the guest's other vector"),
        Order.ROUTE,
    ),
    Action(
        "hold",
        "Run",
        tr_later("Hold the guest"),
        ("H",),
        C.hold,
        tr_later("Stops the pace, or lets it go on"),
        Order.RUN,
        True,
    ),
    Action(
        "restart",
        "Run",
        tr_later("Start afresh"),
        ("Ctrl+R",),
        C.restart,
        tr_later("The same scenario in a new machine, or the recording from its start"),
        begins=True,
    ),
    Action("clear", "Run", tr_later("Clear the choice"), ("Esc",), C.clear, tr_later("Nothing is chosen any more")),
)
