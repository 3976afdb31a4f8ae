"""Each place has one key, so that nothing is ever told twice there."""

from bot.posting import targets

HERE = targets.PullPlace("acme/shop", 7)


def test_cards_are_keyed_by_kind_and_place() -> None:
    made = [
        targets.comment(HERE, "run:migrate", now=1.0, nonce="n"),
        targets.commit("acme/shop", "abc", app=True, now=1.0, nonce="n"),
        targets.commit("acme/shop", "abc", app=False, now=1.0, nonce="n"),
        targets.channel(targets.ChannelPlace("#ops"), now=1.0, nonce="n"),
    ]
    assert [card.key for card in made] == [
        "github_comment:acme/shop#7",
        "github_check:acme/shop@abc",
        "github_status:acme/shop@abc",
        "slack_message:#ops",
    ]
    assert {card.text for card in made} == {None}
    assert {(card.due_at, card.created_at) for card in made} == {(1.0, 1.0)}


def test_replies_keep_the_key_they_are_given() -> None:
    made = [
        targets.comment_reply("k", HERE, "words", now=1.0, nonce="n"),
        targets.reaction("k", "acme/shop", 5, "eyes", now=1.0, nonce="n"),
        targets.slack_reply("k", "https://hooks.slack.com/x", "words", now=1.0, nonce="n"),
    ]
    assert {post.key for post in made} == {"k"}
    assert [post.place for post in made] == [
        {"repository": "acme/shop", "issue": 7, "public": False},
        {"repository": "acme/shop", "comment": 5, "content": "eyes"},
        {"url": "https://hooks.slack.com/x"},
    ]
