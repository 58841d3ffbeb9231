"""Behaviour tests that people write: what the model must do with given texts, and what must not sway it.

After CheckList (Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models), section 2.

    schema          the three kinds of tests and the perturbations, as typed settings
    reading         the YAML file: all mistakes at once, each with its line
    templates       texts with slots
    perturbations   one function per perturbation
    cases           a test's cases: from templates, or drawn from the pipeline's test rows
    running         the cases put to a model
    results         what came out, as other rooms read it
    starter         a first file for a new pipeline

Whether a rate of failures is tolerable is the gate's to say (`gate.behaviour`).
"""
