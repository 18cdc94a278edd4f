"""Everything that the overlay says, in one place. The script has no words of its own and asks for these once."""

from __future__ import annotations

WORDS: dict[str, str] = {
    "close": "Close",
    "kept": "What is kept for you",
    "shown": "The part that is shown",
    "kept_until": "Kept until",
    "begins": "How it begins",
    "rest": "The rest is withheld.",
    "choose": "Choose a plan",
    "take_it": "Pay, and take it",
    "pay": "Pay {price}",
    "pay_with": "Pay {price} with {provider}",
    "once_more": "After payment, please do once more what you were doing.",
    "no_plan": "No plan is on offer here.",
    "no_way": "You can't pay here yet: no way to pay has been set up.",
    "ask": "Ask what can be done",
    "page": "See this offer as a page",
    "not_now": "Not now",
    "stays_open": "Browsing stays open. New results are not made for you until you choose a plan.",
    "why": "Why not now? You need not answer.",
    "declined": "You said not now, and that stands. There is nothing more to do.",
    "go_on": "Go on browsing",
    "waiting": "Your payment",
    "opening": "The payment page is being opened.",
    "waiting_detail": "It goes on in another window. As soon as it has arrived, what you asked for comes by itself: "
    "leave this page open.",
    "open": "Go to the payment page",
    "back": "Back to the offer",
    "closed": "The payment page is closed, and no payment has arrived so far. If you have paid, you need not pay "
    "again: what you asked for comes as soon as the payment is here.",
    "checking": "We are checking your payment",
    "checking_detail": "The provider has not confirmed it yet. If you have paid, you need not pay again: what you "
    "asked for comes as soon as the confirmation is there.",
    "failed": "The payment did not go through, and nothing was charged.",
    "unreachable": "The payment page can't be opened for a moment. Nothing was charged. Try again.",
    "arrived": "Your payment has arrived",
    "fetching": "What you asked for is on its way.",
    "more": "Your payment has arrived. This is another result, which is not paid for yet.",
    "done": "Thank you, your payment has arrived",
    "done_kept": "The page has stopped waiting for it meanwhile, but your result is there.",
    "done_again": "Please do once more what you were doing: now the result comes.",
    "take": "Take the result",
    "amiss": "Your payment needs a look",
    "amiss_detail": "A payment has arrived, but it did not open this result. Nothing is lost: here it says what "
    "becomes of it.",
    "look": "See what became of it",
}
"""By the names that the script has for them; `{price}` and `{provider}` are filled in there."""

LANGUAGE, DIRECTION = "en", "ltr"
