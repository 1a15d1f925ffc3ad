"""What the black-box tests are made with: a server process, clients, a judge of responses, and patience."""
