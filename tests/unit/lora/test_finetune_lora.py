from finetune_lora import different_questions, generation_records, stopped_fraction


def test_each_question_is_answered_once():
    records = [{"id": str(i), "question": q} for i, q in enumerate(["a", "b", "a", "c"])]
    assert [r["id"] for r in different_questions(records, 2)] == ["0", "1"]
    assert [r["id"] for r in different_questions(records, 9)] == ["0", "1", "3"]


def test_generations_stand_beside_their_reference():
    question = {"id": "heldout-1", "question": "q", "answer": "reference"}
    (record,) = generation_records([question], [("old", False)], [("new", True)], {"top_p": 1}, 7)
    assert record["reference"] == "reference"
    assert (record["before"], record["before_stopped"]) == ("old", False)
    assert (record["after"], record["after_stopped"]) == ("new", True)
    assert (record["sampling"], record["seed"]) == ({"top_p": 1}, 7)


def test_stopped_fraction_counts_answers_that_ended():
    assert stopped_fraction([("a", True), ("b", False), ("c", False), ("d", True)]) == 0.5
