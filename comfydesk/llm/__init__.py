"""Language models that improve prompts: engines behind one Protocol, and the models of this computer."""
