"""`bellwire attach`: running VMMs of anybody, seen from outside."""
