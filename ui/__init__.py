"""What only a browser needs: state, charts, the graph editor, live panels."""
