#!/usr/bin/env bash
# Nothing to install: these submissions were graded elsewhere.
true
