"""When things die.

Each fault is made to happen for real, and seen to have happened. Then the next run ends as if nothing had been: the
same hashes and verdict, no finished stage done twice, nobody left, nothing half-written, and a sentence on what was
recovered.

    the stage's process            test_kills; with real training and its checkpoints: tests/e2e/test_faults
    the child that DVC runs in     test_kills
    the driver of a run by hand    test_kills, tests/flows/test_run, tests/dvc/test_running, tests/e2e/test_faults
    its own server                 test_kills
    a deployed run, its worker,
    the server of `tunegate up`    tests/orchestration
    amid a checkpoint              tests/training/test_resume, tests/stages/test_train (also damaged, missing files)
    amid a record                  test_kills
    amid a push                    test_push (also a truncated object)
    amid `data add`                tests/data_versions/test_adding
    the power                      test_damage, tests/flows/test_recover (dvc.lock, inputs.json, report, cache)
    a full disk, a read-only cache test_disks
    a remote half way, a wrong byte test_remotes
    the clock, back and forth      test_clock
    two runs at once               test_kills, tests/e2e/test_faults
    Ctrl-C once and twice          test_kills, tests/e2e/test_faults
    any of them, thirty times      test_soak
"""
