"""SQL dumps written anew, so that they still load into the database they are for."""
