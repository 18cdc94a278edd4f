"""Everything that the overlay says, in one place. The script has no words of its own and asks for these once."""

from __future__ import annotations

from gateway.language.catalogue import phrase

WORDS: dict[str, str] = {
    "close": phrase("Close"),
    "kept": phrase("What is kept for you"),
    "shown": phrase("The part that is shown"),
    "kept_until": phrase("Kept until"),
    "begins": phrase("How it begins"),
    "rest": phrase("The rest is withheld."),
    "choose": phrase("Choose a plan"),
    "take_it": phrase("Pay, and take it"),
    "pay": phrase("Pay %(price)s"),
    "pay_with": phrase("Pay %(price)s with %(label)s"),
    "free": phrase("Take it"),
    "once_more": phrase("After payment, please do once more what you were doing."),
    "no_plan": phrase("No plan is on offer here."),
    "no_way": phrase("You can't pay here yet: no way to pay has been set up."),
    "ask": phrase("Ask what can be done"),
    "page": phrase("See this offer as a page"),
    "not_now": phrase("Not now"),
    "stays_open": phrase("Browsing stays open. New results are not made for you until you choose a plan."),
    "why": phrase("Why not now? You need not answer."),
    "declined": phrase("You said not now, and that stands. There is nothing more to do."),
    "go_on": phrase("Go on browsing"),
    "waiting": phrase("Your payment"),
    "opening": phrase("The payment page is being opened."),
    "waiting_detail": phrase(
        "It goes on in another window. As soon as it has arrived, what you asked for comes by itself: leave "
        "this page open."
    ),
    "open": phrase("Go to the payment page"),
    "back": phrase("Back to the offer"),
    "closed": phrase(
        "The payment page is closed, and no payment has arrived so far. If you have paid, you need not pay "
        "again: what you asked for comes as soon as the payment is here."
    ),
    "checking": phrase("We are checking your payment"),
    "checking_detail": phrase(
        "The provider has not confirmed it yet. If you have paid, you need not pay again: what you asked for "
        "comes as soon as the confirmation is there."
    ),
    "failed": phrase("The payment did not go through, and nothing was charged."),
    "unreachable": phrase("The payment page can't be opened for a moment. Nothing was charged. Try again."),
    "arrived": phrase("Your payment has arrived"),
    "fetching": phrase("What you asked for is on its way."),
    "more": phrase("Your payment has arrived. This is another result, which is not paid for yet."),
    "done": phrase("Thank you, your payment has arrived"),
    "done_kept": phrase("The page has stopped waiting for it meanwhile, but your result is there."),
    "done_again": phrase("Please do once more what you were doing: now the result comes."),
    "take": phrase("Take the result"),
    "amiss": phrase("Your payment needs a look"),
    "amiss_detail": phrase(
        "A payment has arrived, but it did not open this result. Nothing is lost: here it says what becomes of it."
    ),
    "look": phrase("See what became of it"),
}
"""By the names that the script has for them; it fills in the values."""
