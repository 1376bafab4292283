def pytest_addoption(parser):
    parser.addoption(
        "--upstream-seed",
        type=int,
        default=0,
        help="first seed of the samples of dm-clrs that the native engine is held against",
    )
